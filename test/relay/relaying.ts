/** What the relay's tests need again and again: an upstream for a sink, envelopes, messages, a loss that must happen. */

import type { Address } from '../../src/mail/address.ts';
import { isAddress, parseAddress } from '../../src/mail/address.ts';
import type { Envelope } from '../../src/mail/envelope.ts';
import { createLog } from '../../src/ops/log.ts';
import { DEFAULT_TIMEOUTS, type Timeouts } from '../../src/relay/options.ts';
import { createSmarthost, type SmarthostParts } from '../../src/relay/smarthost.ts';
import { type Upstream, UpstreamUnavailable } from '../../src/relay/upstream.ts';
import { parseUpstreamUrl } from '../../src/relay/url.ts';

export interface Settings extends Partial<Omit<SmarthostParts, 'timeouts'>> {
  readonly timeouts?: Partial<Timeouts>;
}

export function parts({ timeouts, ...rest }: Settings = {}): SmarthostParts {
  return {
    connections: 20,
    messagesPerConnection: 100,
    timeouts: { ...DEFAULT_TIMEOUTS, ...timeouts },
    hostname: 'gate.example',
    clock: { now: () => Date.now() },
    log: createLog('silent'),
    ...rest,
  };
}

export function smarthost(url: string, settings: Settings = {}): Upstream {
  const target = parseUpstreamUrl(url);
  if ('problem' in target) throw new Error(target.problem);
  return createSmarthost(target, parts(settings));
}

export function address(text: string): Address {
  const parsed = parseAddress(text, { utf8: true });
  if (!isAddress(parsed)) throw new Error(`no address: ${text}`);
  return parsed;
}

/** `from` null: the null reverse-path. */
export function envelope(to: readonly string[], from: string | null = 'sales@sender.example', more: Partial<Envelope> = {}): Envelope {
  return { reversePath: from === null ? null : address(from), recipients: to.map(address), utf8: false, body: '7bit', ...more };
}

export const MESSAGE = Buffer.from('From: sales@sender.example\r\nSubject: Offer\r\n\r\nHello\r\n.hidden\r\n..\r\n.\r\nBye\r\n');

/** The loss that `running` must end in; an answer is returned as undefined. */
export async function lossOf(running: Promise<unknown>): Promise<UpstreamUnavailable | undefined> {
  try {
    await running;
    return undefined;
  } catch (error) {
    if (error instanceof UpstreamUnavailable) return error;
    throw error;
  }
}

/** Waits, for five seconds at most, until `holds`. */
export async function until(holds: () => boolean): Promise<boolean> {
  for (let i = 0; i < 1000 && !holds(); i++) await new Promise(resolve => setTimeout(resolve, 5));
  return holds();
}
