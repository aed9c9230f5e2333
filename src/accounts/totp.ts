/** The second factor: six digits made from a shared secret and the time (RFC 6238), each taken once. */
import { generateSecret, generateURI, verifySync } from 'otplib';
import type { StoredTotp } from './records.ts';

const STEP_SECONDS = 30;

export interface Enrolment {
  /** Base32, for typing. */
  readonly secret: string;
  /** `otpauth://…`, for a QR code. */
  readonly uri: string;
}

export function enrol(account: string): Enrolment {
  const secret = generateSecret();
  return { secret, uri: generateURI({ issuer: 'Postern', label: account, secret }) };
}

/**
 * The time step that the code stands for: this one, or one to either side for clocks that differ (RFC 6238 §5.2). Undefined where the code
 * is wrong, or its step was used before. `now` in ms since 1970 UTC.
 */
export function stepOf({ secret, step }: Pick<StoredTotp, 'secret' | 'step'>, code: string, now: number): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined;
  const outcome = verifySync({ secret, token: code, epoch: Math.floor(now / 1_000), epochTolerance: STEP_SECONDS });
  if (!outcome.valid || !('timeStep' in outcome)) return undefined;
  return outcome.timeStep > step ? outcome.timeStep : undefined;
}
