/** Where decisions lie, and what leads to them beside their ids: records by label, by person and by transaction, written with the decision. */
import type { ClientId, DecisionId } from '../ids.ts';
import type { Digests } from '../keys/digest.ts';
import type { Change, RecordKey, Store, Value } from '../store/store.ts';
import type { CounterLabels, Outcome } from './decision.ts';

export const DECISIONS = 'decisions';
/** `<kind><digest><decision>`, without values. */
const LEADS = 'decision-leads';
/** `<digest>` → what it stands for: campaign, outcome, check, token, as counters hold them. */
const LABELS = 'decision-labels';
/** Of a digest, in characters of base64url: two names that share one cost a look at the decision, no more. */
const DIGEST_CHARS = 8;
/** A label that was noted is noted again after so long, lest a store put back from a copy should miss it. */
const NOTED_MS = 3_600_000;
const NOTHING: Value = Buffer.alloc(0);

type Kind = 'label' | 'person' | 'transaction';
const KINDS: Readonly<Record<Kind, string>> = { label: 'l', person: 'p', transaction: 't' };

/** A stretch of a client's journal whose records' ids end in those of decisions, and sort by them. */
export interface Trail {
  readonly client: ClientId;
  readonly log: string;
  /** What stands before the decision's id. */
  readonly prefix: string;
}

export type Labels = Pick<CounterLabels, 'campaign' | 'outcome' | 'check' | 'token'>;

/** What is known of a decision when it is written. */
export interface Indexed extends Labels {
  readonly client: ClientId;
  readonly transaction: string;
  readonly pseudonym: string | undefined;
}

export function decisionKey(client: ClientId, id: DecisionId): RecordKey {
  return { owner: client, log: DECISIONS, id };
}

/** Every decision of the client. */
export function wholeTrail(client: ClientId): Trail {
  return { client, log: DECISIONS, prefix: '' };
}

export class DecisionIndex {
  readonly #digests: Digests;
  readonly #noted = new Map<string, number>();

  constructor(digests: Digests) {
    this.#digests = digests;
  }

  /** The writes that lead to a decision, to be applied with it. `now`: ms since 1970 UTC. */
  changes(id: DecisionId, { client, transaction, pseudonym, ...labels }: Indexed, now: number): readonly Change[] {
    const text = labelText(labels);
    const lead = (kind: Kind, name: string): Change => {
      const [prefix = ''] = this.#prefixes(kind, name);
      return { key: { owner: client, log: LEADS, id: prefix + id }, value: NOTHING };
    };
    return [
      ...this.#labelNoted(client, text, now),
      lead('label', text),
      lead('transaction', transaction),
      ...(pseudonym === undefined ? [] : [lead('person', pseudonym)]),
    ];
  }

  /** To be called where the writes of `changes` failed: no label may count as noted then. */
  forget(): void {
    this.#noted.clear();
  }

  /** Decisions about whoever this pseudonym stands for. */
  ofPerson(client: ClientId, pseudonym: string): readonly Trail[] {
    return this.#trails(client, this.#prefixes('person', pseudonym));
  }

  ofTransaction(client: ClientId, transaction: string): readonly Trail[] {
    return this.#trails(client, this.#prefixes('transaction', transaction));
  }

  /** One for every combination of labels that the client's decisions ever had and that `fits`. @throws StoreUnavailable */
  async ofLabels(store: Store, client: ClientId, fits: (labels: Labels) => boolean): Promise<readonly Trail[]> {
    const prefixes: string[] = [];
    for await (const [id, labels] of readLabels(store, client)) if (fits(labels)) prefixes.push(`${KINDS.label}${id}`);
    return this.#trails(client, prefixes);
  }

  #labelNoted(client: ClientId, text: string, now: number): readonly Change[] {
    const name = `${client} ${text}`;
    const before = this.#noted.get(name);
    if (before !== undefined && now >= before && now - before < NOTED_MS) return [];
    this.#noted.set(name, now);
    const [prefix = ''] = this.#prefixes('label', text);
    return [{ key: { owner: client, log: LABELS, id: prefix.slice(1) }, value: Buffer.from(text) }];
  }

  #trails(client: ClientId, prefixes: readonly string[]): readonly Trail[] {
    return prefixes.map(prefix => ({ client, log: LEADS, prefix }));
  }

  /** One a key of the ring; the first is written. */
  #prefixes(kind: Kind, name: string): readonly string[] {
    return this.#digests.name(`decision-${kind}`, name).map(digest => KINDS[kind] + digest.toString('base64url').slice(0, DIGEST_CHARS));
  }
}

/** Every combination of labels that the client's decisions ever had, with its digest. @throws StoreUnavailable */
export async function* readLabels(store: Store, client: ClientId): AsyncIterable<readonly [string, Labels]> {
  for await (const [key, value] of store.scan({ owner: client, log: LABELS })) yield [String(key.id), labelsOf(value.toString())];
}

/** The labels as counters and decisions are kept under. */
export function labelText({ campaign, outcome, check, token }: Labels): string {
  return JSON.stringify([campaign ?? '', outcome, check, token]);
}

/** A label as it is kept. */
export function labelsOf(text: string): Labels {
  const [campaign, outcome, check, token] = JSON.parse(text) as [string, Outcome, string, string];
  return { campaign: campaign === '' ? undefined : (campaign as Labels['campaign']), outcome, check, token };
}
