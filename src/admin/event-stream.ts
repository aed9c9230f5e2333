/** Server-sent events (WHATWG HTML §9.2): tells a reader each new state of a thing until it is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';

const LOOK_MS = 250;
/** A line that says nothing keeps proxies from taking the silence for the end. */
const SILENCE_MS = 15_000;

export interface Told {
  /** What has to differ from before to be told again. */
  readonly data: string;
  readonly event: string;
  readonly over: boolean;
}

/** Answers with what `look` sees, as often as it changes; ends when it is over, gone (undefined), or `closing`, or its reader is. */
export async function tellEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  look: () => Promise<Told | undefined>,
  closing: AbortSignal,
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  const left = new AbortController();
  raw.once('close', () => left.abort());
  const headers = Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)] as const);
  raw.writeHead(200, { ...Object.fromEntries(headers), 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  const signal = AbortSignal.any([left.signal, closing]);
  let said = '';
  let silent = 0;
  try {
    while (!signal.aborted) {
      const told = await look();
      if (told === undefined) break;
      if (told.data !== said) raw.write(`event: ${told.event}\ndata: ${told.data}\n\n`);
      else if (silent >= SILENCE_MS) raw.write(':\n\n');
      silent = told.data === said && silent < SILENCE_MS ? silent + LOOK_MS : 0;
      said = told.data;
      if (told.over) break;
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  } catch (error) {
    request.log.warn({ route: request.routeOptions.url, err: error }, 'events ended early');
  }
  raw.end();
}
