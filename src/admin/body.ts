/** Request bodies as they come: no longer and no slower than they may be, so that nobody holds a place by sending next to nothing. */
import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';

/** Octets a second that a sender manages at least, on average over the time that the gate has patience for. */
const LEAST_RATE = 512;
/** Below so many octets a second an upload gives its place to others who wait for one. */
const FAIR_RATE = 64 * 1024;
/** Looks at the pace in the time of that patience. */
const LOOKS = 5;

/** Why no more of a body is taken. */
export class BodyRefused extends Error {
  override readonly name = 'BodyRefused';
  readonly kind: keyof typeof STATUSES;
  /** Where Fastify looks for it. */
  readonly statusCode: number;
  constructor(kind: BodyRefused['kind'], detail: string) {
    super(detail);
    this.kind = kind;
    this.statusCode = STATUSES[kind];
  }
}

const STATUSES = { 'bad-request': 400, 'too-large': 413, 'too-slow': 408 } as const;

export interface BodyLimits {
  /** Octets. */
  readonly limit: number;
  readonly patienceMs: number;
}

/** Passes a request's body on. Time in which its reader, not its sender, is slow does not count. Fails with BodyRefused. */
export class Body extends Transform {
  readonly #limits: BodyLimits;
  readonly #timer: NodeJS.Timeout;
  #octets = 0;
  /** Looks at which more was waited for, and octets at the last of every LOOKS of them. */
  #waits = 0;
  #octetsThen = 0;

  constructor(source: IncomingMessage, limits: BodyLimits) {
    super();
    this.#limits = limits;
    this.#timer = setInterval(() => this.#look(), limits.patienceMs / LOOKS).unref();
    // Not as a pipeline: that would end the connection, on which the answer is still to be given.
    source.pipe(this);
    source.once('error', error => this.destroy(error));
    source.once('close', () => {
      if (!source.complete) this.refuse('bad-request', 'the body was cut off');
    });
    // A route that answers without reading it does not hear how it ends.
    this.on('error', () => undefined);
    this.once('close', () => {
      clearInterval(this.#timer);
      source.resume();
    });
  }

  /** Octets so far, by the name under which Fastify looks for them. */
  get receivedEncodedLength(): number {
    return this.#octets;
  }

  /** Whether it must give its place to others who wait. */
  get isSlow(): boolean {
    const seconds = (this.#waits * this.#limits.patienceMs) / LOOKS / 1_000;
    return this.#waits >= LOOKS && this.#octets < seconds * FAIR_RATE;
  }

  refuse(kind: BodyRefused['kind'], detail: string): void {
    this.destroy(new BodyRefused(kind, detail));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#octets += chunk.length;
    if (this.#octets <= this.#limits.limit) done(null, chunk);
    else done(tooLarge(this.#limits.limit));
  }

  #look(): void {
    if (this.writableEnded) clearInterval(this.#timer);
    if (this.writableEnded || this.writableNeedDrain) return;
    this.#waits += 1;
    if (this.#waits % LOOKS !== 0) return;
    const { patienceMs } = this.#limits;
    if (this.#octets - this.#octetsThen < (LEAST_RATE * patienceMs) / 1_000) {
      this.refuse('too-slow', `less than ${LEAST_RATE} octets a second came for ${patienceMs / 1_000} seconds; send the body faster`);
    }
    this.#octetsThen = this.#octets;
  }
}

function tooLarge(limit: number): BodyRefused {
  return new BodyRefused('too-large', `the body is longer than ${limit} octets; send it in parts`);
}

/** The body of a request as a stream that is held to its limits; undefined where it has none. @throws BodyRefused where it says that it is too long */
export function bodyOf(source: IncomingMessage, limits: BodyLimits): Body | undefined {
  if (!hasBody(source)) return undefined;
  if (Number(source.headers['content-length']) > limits.limit) throw tooLarge(limits.limit);
  return new Body(source, limits);
}

/** RFC 9112 §6. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
