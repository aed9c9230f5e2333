/** Server-sent events (WHATWG HTML §9.2): tells a reader each new state of a thing until it is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';

const LOOK_MS = 250;
/** A line that says nothing keeps proxies from taking the silence for the end. */
const SILENCE_MS = 15_000;
/** How often it is asked whether the reader may still read: a token may be revoked meanwhile. */
const ADMIT_MS = 30_000;

export interface Told {
  /** What has to differ from before to be told again. */
  readonly data: string;
  readonly event: string;
  /** What the reader shows as Last-Event-ID when it comes back. */
  readonly id?: string;
  readonly over: boolean;
}

export interface Telling {
  /** The state as it is; undefined: it is gone. */
  look(): Promise<Told | undefined>;
  mayStay(): Promise<boolean>;
  readonly closing: AbortSignal;
  /** How long a reader may take nothing before its connection is cut. */
  readonly patienceMs: number;
}

/**
 * Answers with what `look` sees, as often as it changes; ends when it is over or gone, `closing`, or its reader is, or may no longer read.
 * For a reader who is slow nothing is put aside: once it reads on, it is told the state as it is then.
 */
export async function tellEvents(request: FastifyRequest, reply: FastifyReply, telling: Telling): Promise<void> {
  const { look, mayStay, closing, patienceMs } = telling;
  reply.hijack();
  const { raw } = reply;
  const left = new AbortController();
  raw.once('close', () => left.abort());
  const headers = Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)] as const);
  raw.writeHead(200, { ...Object.fromEntries(headers), 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  raw.flushHeaders();
  const signal = AbortSignal.any([left.signal, closing]);
  const since = (then: number): number => performance.now() - then;
  let said = '';
  let [wroteAt, admittedAt] = [performance.now(), performance.now()];
  try {
    // Who was gone before anybody listened gives no sign of it any more.
    while (!signal.aborted && !raw.destroyed) {
      if (since(admittedAt) >= Math.min(ADMIT_MS, patienceMs)) {
        if (!(await mayStay())) break;
        admittedAt = performance.now();
      }
      const told = await look();
      if (told === undefined) break;
      if (raw.writableNeedDrain) {
        if (since(wroteAt) >= patienceMs) raw.destroy();
      } else if (told.data !== said) {
        raw.write(`${told.id === undefined ? '' : `id: ${told.id}\n`}event: ${told.event}\ndata: ${told.data}\n\n`);
        said = told.data;
        wroteAt = performance.now();
      } else if (since(wroteAt) >= SILENCE_MS) {
        raw.write(':\n\n');
        wroteAt = performance.now();
      }
      if (told.over && told.data === said) break;
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  } catch (error) {
    request.log.warn({ route: request.routeOptions.url, err: error }, 'events ended early');
  }
  raw.end();
}
