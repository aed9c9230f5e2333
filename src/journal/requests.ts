/** The register of requests: who asked for access or erasure or objected, when, and until when an answer is due (A20, GDPR 12(3)). */
import type { Keyring } from '../keys/keyring.ts';
import type { Sealer } from '../keys/seal.ts';
import { type Change, isEntryKey, type RecordKey, type Store, StoreUnavailable } from '../store/store.ts';
import type { Owner } from './pseudonyms.ts';

const LOG = 'requests';
const HOUR_MS = 3_600_000;
/** What the privacy statements promise: data and erasure within 72 hours (A20), an objection within 24 (A17). */
const PROMISED_MS: Readonly<Record<RequestKind, number>> = { access: 72 * HOUR_MS, erasure: 72 * HOUR_MS, objection: 24 * HOUR_MS };

export type RequestKind = 'access' | 'erasure' | 'objection';

/** In ms since 1970 UTC. */
export interface Clocks {
  readonly promisedBy: number;
  readonly statutoryBy: number;
  /** The earlier of the two. */
  readonly dueAt: number;
}

/** All times in ms since 1970 UTC. */
export interface RegisteredRequest extends Clocks {
  /** As the line of the reply log that it came with. */
  readonly id: string;
  readonly owner: Owner;
  readonly kind: RequestKind;
  readonly channel: 'email';
  readonly receivedAt: number;
  /** Pseudonyms of whom it is about; the address behind them is the journal's to say, while it lives. */
  readonly people: readonly string[];
}

export type NewRequest = Pick<RegisteredRequest, 'id' | 'owner' | 'kind' | 'receivedAt' | 'people'>;

export class Requests {
  readonly #store: Store;
  readonly #sealer: Sealer;

  constructor(store: Store, keyring: Keyring) {
    this.#store = store;
    this.#sealer = keyring.sealer('requests');
  }

  /** The write that registers it; to be applied with the line that it came with. */
  change({ id, owner, ...request }: NewRequest): Change {
    const clocks = clocksOf(request.kind, request.receivedAt);
    const key: RecordKey = { owner, log: LOG, id };
    return { key, value: this.#sealer.seal(JSON.stringify({ ...request, channel: 'email', ...clocks }), aad(key)) };
  }

  /** The owner's requests, oldest first. @throws StoreUnavailable */
  async *list(owner: Owner): AsyncIterable<RegisteredRequest> {
    for await (const [key, value] of this.#store.scan({ owner, log: LOG })) {
      if (isEntryKey(key)) continue;
      const plain = this.#sealer.open(value, aad(key));
      if (plain === undefined) throw new StoreUnavailable(`A request of ${owner} cannot be opened with this key ring`);
      yield { ...(JSON.parse(plain.toString()) as Omit<RegisteredRequest, 'id' | 'owner'>), id: key.id, owner };
    }
  }
}

/** Until when what was asked then is due. */
export function clocksOf(kind: RequestKind, receivedAt: number): Clocks {
  const promisedBy = receivedAt + PROMISED_MS[kind];
  const statutoryBy = oneMonthAfter(receivedAt);
  return { promisedBy, statutoryBy, dueAt: Math.min(promisedBy, statutoryBy) };
}

/** GDPR 12(3), counted as Regulation 1182/71 Art. 3(2)(c): the same date of the next month, or that month's last where it has none. */
export function oneMonthAfter(at: number): number {
  const from = new Date(at);
  const last = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 2, 0)).getUTCDate();
  const due = new Date(at);
  due.setUTCMonth(from.getUTCMonth() + 1, Math.min(from.getUTCDate(), last));
  return due.getTime();
}

function aad(key: RecordKey): string {
  return `${key.owner}/${key.log}/${key.id}`;
}
