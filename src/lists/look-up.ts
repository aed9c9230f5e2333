/** What the lists say of one recipient: every scope, every spelling and the heads in one round trip. */

import { type CampaignId, type ClientId, GLOBAL } from '../ids.ts';
import type { Digests, HashAlgorithm } from '../keys/digest.ts';
import type { Address } from '../mail/address.ts';
import { suffixes } from '../mail/domain.ts';
import { headKey } from '../store/head.ts';
import { type EntryKey, type Key, type Store, StoreUnavailable, type Value } from '../store/store.ts';
import { type Entries, entryKey } from './entry.ts';
import { type Heads, hashesOf } from './heads.ts';
import type { Hit, Scope, Standing } from './standing.ts';

/** Asked anew only when hashes of another algorithm were imported at this very moment. */
const ATTEMPTS = 5;

interface Question {
  readonly key: EntryKey;
  readonly scope: Scope;
  readonly list: Hit['list'];
  readonly match: Hit['match'];
}

export interface LookUpParts {
  readonly store: Store;
  readonly digests: Digests;
  readonly entries: Entries;
  readonly heads: Heads;
}

/** All entries that bind the address for the client, or for everybody where none is named, widest scope first. @throws StoreUnavailable */
export async function lookUp(
  parts: LookUpParts,
  address: Address,
  client: ClientId | undefined,
  campaigns: readonly CampaignId[],
): Promise<Standing> {
  const { store, heads } = parts;
  const owners = client === undefined ? ([GLOBAL] as const) : ([GLOBAL, client] as const);
  const own = client === undefined ? [] : [{ owner: client }, ...campaigns.map(campaign => ({ owner: client, campaign }))];
  const scopes: readonly Scope[] = [{ owner: GLOBAL }, ...own];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const planned = scopes.map(scope => hashesOf(heads.last(scope.owner), scope));
    const questions = scopes.flatMap((scope, i) => questionsIn(parts.digests, address, scope, planned[i] ?? []));
    const keys: Key[] = [...owners.map(headKey), ...questions.map(({ key }) => key)];
    const values = await store.find(keys);
    for (const [i, owner] of owners.entries()) heads.check(owner, values[i]);
    const complete = scopes.every((scope, i) => hashesOf(heads.last(scope.owner), scope).every(name => planned[i]?.includes(name)));
    if (complete) return hits(parts.entries, questions, values.slice(owners.length));
  }
  throw new StoreUnavailable('The head records keep changing under us');
}

function questionsIn(digests: Digests, address: Address, scope: Scope, hashes: readonly HashAlgorithm[]): readonly Question[] {
  const questions: Question[] = [];
  const ask = (list: Hit['list'], match: Hit['match'], ids: readonly Buffer[]) => {
    for (const id of ids) questions.push({ key: entryKey(scope, list, id), scope, list, match });
  };
  ask('exclusion', 'address', digests.person(address));
  for (const domain of suffixes(address.domain)) ask('exclusion', 'domain', digests.domain(domain));
  ask('suppression', 'address', digests.person(address));
  for (const algorithm of hashes) ask('suppression', 'hash', digests.importedOf(address, algorithm));
  return questions;
}

async function hits(entries: Entries, questions: readonly Question[], values: readonly (Value | undefined)[]): Promise<Standing> {
  const found: Hit[] = [];
  for (const [i, { key, scope, list, match }] of questions.entries()) {
    const value = values[i];
    if (value === undefined) continue;
    const entry = await entries.open(key, value);
    const acts = entry?.acts.map(({ reason, source, at }) => ({ reason, source, at })) ?? [];
    found.push({ list, match, scope, acts });
  }
  return found;
}
