/**
 * How a trail is kept: records numbered from 1, sealed, each linked to the one before, and a head that says how many there are.
 *
 * A link is HMAC-SHA-256 over owner, number, the link before and the record's own text, under a key of the ring: whoever has the store
 * alone can neither write a record nor link others anew. Sealing binds a record to its number, so that none can stand in another's place.
 */
import { createHmac } from 'node:crypto';
import type { Keyring } from '../keys/keyring.ts';
import type { Sealer } from '../keys/seal.ts';
import type { Change, RecordKey, Value } from '../store/store.ts';
import type { AuditLine } from './act.ts';

export const LOG = 'audit';
const DIGITS = 12;

/** Where a trail ends. */
export interface Tail {
  readonly count: number;
  readonly link: string;
  /** Time of the last record; 0 where there is none. */
  readonly at: number;
}

export interface AuditRecord {
  readonly line: AuditLine;
  /** Link of the record before. */
  readonly before: string;
  readonly link: string;
  /** Whether the link is what the ring makes of owner, number and text. */
  readonly genuine: boolean;
}

export const EMPTY: Tail = { count: 0, link: '', at: 0 };

export function recordKey(owner: string, n: number): RecordKey {
  return { owner, log: LOG, id: String(n).padStart(DIGITS, '0') };
}

export function headKey(owner: string): RecordKey {
  return { owner, log: 'audit-head', id: 'head' };
}

/** The number in a record's id; undefined where none of ours made it. */
export function numberOf(id: string): number | undefined {
  return id.length === DIGITS && /^\d+$/.test(id) ? Number(id) : undefined;
}

/** Makes and reads the records of trails. */
export class Chain {
  readonly #sealer: Sealer;
  /** The current key first. */
  readonly #keys: readonly Buffer[];

  constructor(keyring: Keyring) {
    this.#sealer = keyring.sealer('audit');
    this.#keys = keyring.deriveAll('audit-chain');
  }

  /** The writes that add `line` after `tail`. */
  extend(owner: string, tail: Tail, line: AuditLine): readonly Change[] {
    const text = JSON.stringify(line);
    const link = linkOf(this.#keys[0] as Buffer, owner, line.n, tail.link, text);
    const next: Tail = { count: line.n, link, at: line.at };
    return [this.#put(recordKey(owner, line.n), JSON.stringify([tail.link, link, text])), this.#put(headKey(owner), JSON.stringify(next))];
  }

  /** The record in `value`; undefined where it does not open. */
  read(key: RecordKey, value: Value): AuditRecord | undefined {
    const plain = this.#sealer.open(value, aad(key));
    if (plain === undefined) return undefined;
    const [before, link, text] = JSON.parse(plain.toString()) as [string, string, string];
    const line = JSON.parse(text) as AuditLine;
    const genuine = this.#keys.some(secret => linkOf(secret, key.owner, Number(key.id), before, text) === link);
    return { line, before, link, genuine };
  }

  /** The tail in a head record; undefined where it does not open. */
  readHead(owner: string, value: Value): Tail | undefined {
    const plain = this.#sealer.open(value, aad(headKey(owner)));
    return plain === undefined ? undefined : (JSON.parse(plain.toString()) as Tail);
  }

  #put(key: RecordKey, text: string): Change {
    return { key, value: this.#sealer.seal(text, aad(key)) };
  }
}

function linkOf(key: Buffer, owner: string, n: number, before: string, text: string): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([owner, n, before, text]))
    .digest('base64url');
}

function aad({ owner, log, id }: RecordKey): string {
  return `${owner} log ${log} ${id}`;
}
