/**
 * The lines of a ledger file: `<time> <length> <payload>`. What a crash left half written is told from what somebody altered.
 *
 * Every batch begins with a line end, so that it never continues what a killed process left behind; the length says whether a
 * payload is whole. A line cut short, or with a hole of NULs that a power cut left, was never acknowledged and does not count.
 */
import type { LedgerLine } from './ledger-medium.ts';

type Line = Pick<LedgerLine, 'time' | 'payload'>;

const WHOLE = /^(\d{1,15}) (\d{1,9}) ([A-Za-z0-9_-]+)$/;
const CUT = /^\d{1,15}(?: (?:\d{1,9}(?: [A-Za-z0-9_-]*)?)?)?$/;

export function ledgerLine(time: number, payload: Buffer): string {
  const text = payload.toString('base64url');
  return `${time} ${text.length} ${text}\n`;
}

/** The line, or what it is instead: `blank`, `torn` (skip it) or `foreign` (nothing that this program writes). */
export function parseLedgerLine(text: string): Line | 'blank' | 'torn' | 'foreign' {
  if (text === '') return 'blank';
  if (text.includes('\0')) return 'torn';
  const [, time = '', length = '', payload = ''] = WHOLE.exec(text) ?? [];
  if (payload !== '' && payload.length === Number(length)) return { time: Number(time), payload: Buffer.from(payload, 'base64url') };
  return CUT.test(text) && payload.length < (length === '' ? 1 : Number(length)) ? 'torn' : 'foreign';
}

/** The time of the first whole line that begins within `text`, whose own beginning may lie within a line. */
export function firstTime(text: string): number | undefined {
  return times(text)[0];
}

/** The latest time of a whole line that begins within `text`. */
export function latestTime(text: string): number | undefined {
  const found = times(text);
  return found.length === 0 ? undefined : found.reduce((a, b) => Math.max(a, b));
}

function times(text: string): readonly number[] {
  return text
    .split('\n')
    .slice(1)
    .map(parseLedgerLine)
    .flatMap(line => (typeof line === 'string' ? [] : [line.time]));
}
