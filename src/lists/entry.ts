/** List entries: where they stand in the store, what they say, and how two of them become one without an objection getting lost. */
import type { HashAlgorithm } from '../keys/digest.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Sealer } from '../keys/seal.ts';
import type { Vault } from '../keys/vault.ts';
import { VaultUnavailable } from '../keys/vault-shelf.ts';
import { type EntryKey, isEntryKey, type Key, StoreUnavailable, type Value } from '../store/store.ts';
import type { Act, Hit, Reason, Scope } from './standing.ts';

export type ListName = Hit['list'];

/** An act as it is kept. */
export interface EntryAct extends Act {
  /** Operator or account. */
  readonly by?: string;
  /**
   * Random names of the ledger's records of this act: several where writers raced. A lift names what it lifts by them, so an objection
   * repeated later, even one imported once more from the same dated file, is another.
   */
  readonly ids?: readonly string[];
}

export interface Entry {
  /** `local@domain`, or a domain: of an exclusion only, never of a suppression. */
  readonly target?: string;
  /** Of a suppression that came as a hash. */
  readonly hash?: HashAlgorithm;
  /** One a reason, the first that was recorded. */
  readonly acts: readonly EntryAct[];
}

/** What an operator or an import may take back; everything else was caused by a recipient. */
export const operatorsReasons: readonly Reason[] = ['manual', 'import', 'policy'];

/** True for what only a named person's explicit lift takes back (law 6), whoever wrote it down. */
export function causedByRecipient({ reason }: Pick<Act, 'reason'>): boolean {
  return !operatorsReasons.includes(reason);
}

/** `acts` with those of `more`: of one reason the first stays, and goes by the ledger's names of both. `acts` itself where nothing is new. */
export function mergeActs(acts: readonly EntryAct[], more: readonly EntryAct[]): readonly EntryAct[] {
  let merged = acts;
  for (const act of more) {
    const known = merged.find(({ reason }) => reason === act.reason);
    if (known === undefined) {
      merged = [...merged, act];
      continue;
    }
    const ids = [...new Set([...(known.ids ?? []), ...(act.ids ?? [])])];
    if (ids.length > (known.ids?.length ?? 0)) merged = merged.map(one => (one === known ? { ...known, ids } : one));
  }
  return merged;
}

/** `acts` without those of `lifted`. Of an act that the ledger knows by other names, too, those stay. `acts` itself where none goes. */
export function withoutActs(acts: readonly EntryAct[], lifted: readonly EntryAct[]): readonly EntryAct[] {
  const left = acts.flatMap(act => {
    const ids = act.ids?.filter(id => !lifted.some(other => other.ids?.includes(id)));
    if (ids === undefined) return lifted.some(other => sameAct(act, other)) ? [] : [act];
    if (ids.length === 0) return [];
    return [ids.length === act.ids?.length ? act : { ...act, ids }];
  });
  return left.length === acts.length && left.every((act, i) => act === acts[i]) ? acts : left;
}

/** The note of what was lifted, with what is lifted now; `noted` itself where it says so already. Only what a ledger may hold matters. */
export function noteActs(noted: readonly EntryAct[], lifted: readonly EntryAct[]): readonly EntryAct[] {
  return mergeActs(
    noted,
    lifted.filter(({ ids }) => ids !== undefined),
  );
}

function sameAct(one: EntryAct, other: EntryAct): boolean {
  return one.reason === other.reason && one.source === other.source && one.at === other.at;
}

export function entryKey(scope: Scope, list: ListName, id: Buffer): EntryKey {
  return { owner: scope.owner, set: setName(scope, list), id };
}

export function setName({ campaign }: Scope, list: ListName): string {
  return campaign === undefined ? list : `${list}/${campaign}`;
}

/** Where it is kept what was lifted from an entry, so that a ledger which does not know of the lift cannot bring it back. */
export function liftedKey({ owner, set, id }: EntryKey): EntryKey {
  return { owner, set: `lifted-${set}`, id };
}

/** The place of a value, to which its seal is bound. */
export function aadOf(key: Key): string {
  return isEntryKey(key) ? `${key.owner}/${key.set}/${key.id.toString('hex')}` : `${key.owner}/${key.log}/${key.id}`;
}

/** Opens and seals entries under their owner's data key. */
export class Entries {
  readonly #vault: Vault;
  readonly #lifted: Sealer;

  constructor(vault: Vault, keyring: Keyring) {
    this.#vault = vault;
    // Reasons and times only, nothing about whom: readable even when the owner's key is gone.
    this.#lifted = keyring.sealer('lifted');
  }

  /** undefined: it cannot be opened, which still means listed. @throws StoreUnavailable where the vault gives no answer */
  async open(key: EntryKey, value: Value): Promise<Entry | undefined> {
    const sealer = await this.#ask(key.owner);
    const plain = sealer?.open(value, aadOf(key));
    return plain === undefined ? undefined : decodeEntry(plain);
  }

  /** Many of one owner, in their order, each as `open` does. @throws StoreUnavailable where the vault gives no answer */
  async openMany(owner: string, values: readonly (readonly [EntryKey, Value])[]): Promise<readonly (Entry | undefined)[]> {
    const sealer = await this.#ask(owner);
    const plains = sealer?.openMany(values.map(([key, sealed]) => ({ sealed, aad: aadOf(key) })));
    return values.map((_, i) => {
      const plain = plains?.[i];
      return plain === undefined ? undefined : decodeEntry(plain);
    });
  }

  /** To seal entries of one owner with. @throws StoreUnavailable where the vault gives no answer; Error where the owner has no key */
  async sealer(owner: string): Promise<Sealer> {
    const sealer = await this.#ask(owner);
    if (sealer === undefined) throw new Error(`${owner} has no data key in the vault; restore the vault, or create the client again`);
    return sealer;
  }

  seal(sealer: Sealer, key: EntryKey, entry: Entry): Value {
    return sealer.seal(encodeEntry(entry, entry.acts), aadOf(key));
  }

  /** Many at once, in their order, each as encodeEntry made it. */
  sealTexts(sealer: Sealer, texts: readonly (readonly [EntryKey, string])[]): readonly Value[] {
    return sealer.sealMany(texts.map(([key, text]) => ({ text, aad: aadOf(key) })));
  }

  openLifted(key: EntryKey, value: Value | undefined): readonly EntryAct[] {
    const plain = value === undefined ? undefined : this.#lifted.open(value, aadOf(key));
    return plain === undefined ? [] : decodeEntry(plain).acts;
  }

  sealLifted(key: EntryKey, acts: readonly EntryAct[]): Value {
    return this.#lifted.seal(encodeEntry({}, acts), aadOf(key));
  }

  async #ask(owner: string): Promise<Sealer | undefined> {
    try {
      return await this.#vault.sealer(owner);
    } catch (error) {
      if (!(error instanceof VaultUnavailable)) throw error;
      throw new StoreUnavailable(error.message, { cause: error });
    }
  }
}

/** An act as it is written down. */
export type ActRow = readonly [Act['reason'], Act['source'], at: number, by?: string | null, ...ids: string[]];

/** JSON with short names and rows: there are millions of them in memory. Put together by hand, because imports do it as often. */
export function encodeEntry({ target, hash }: Omit<Entry, 'acts'>, acts: readonly EntryAct[]): string {
  const t = target === undefined ? '' : `"t":${JSON.stringify(target)},`;
  const h = hash === undefined ? '' : `"h":"${hash}",`;
  const [act] = acts;
  const plain = acts.length === 1 && act !== undefined && act.by === undefined && act.ids === undefined;
  const a = plain ? `[["${act.reason}","${act.source}",${act.at}]]` : JSON.stringify(actRows(acts));
  return `{${t}${h}"a":${a}}`;
}

export function decodeEntry(plain: Buffer | string): Entry {
  const { t, h, a } = JSON.parse(plain.toString()) as { t?: string; h?: HashAlgorithm; a: readonly ActRow[] };
  return { ...(t === undefined ? {} : { target: t }), ...(h === undefined ? {} : { hash: h }), acts: actsOfRows(a) };
}

export function actRows(acts: readonly EntryAct[]): readonly ActRow[] {
  return acts.map(({ reason, source, at, by, ids }) => {
    if (ids !== undefined) return [reason, source, at, by ?? null, ...ids];
    return by === undefined ? [reason, source, at] : [reason, source, at, by];
  });
}

export function actsOfRows(rows: readonly ActRow[]): readonly EntryAct[] {
  return rows.map(([reason, source, at, by, ...ids]) => ({
    reason,
    source,
    at,
    ...(typeof by === 'string' ? { by } : {}),
    ...(ids.length === 0 ? {} : { ids }),
  }));
}
