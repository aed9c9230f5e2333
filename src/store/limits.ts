/** What every engine refuses before it touches anything: keys outside the alphabet, applies that break the contract. */
import { type Change, type Expectation, isEntryKey, type Key, MAX_CHANGES, type Range } from './store.ts';

const OWNER = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const NAME = /^[\x20-\x7a\x7c\x7e]{1,150}$/; // printable ASCII without { and }
const RECORD_ID = /^[\x20-\x7e]{1,200}$/;

/** The changes and expectations of one owner, in the order given. */
export interface OwnerChanges {
  readonly owner: string;
  readonly changes: Change[];
  readonly expect: Expectation[];
}

/** @throws RangeError for a key that an engine could confuse with another one. Its text holds no id: an id may tell about a person. */
export function assertKey(key: Key): void {
  if (!OWNER.test(key.owner)) throw new RangeError('A store key needs an owner of a-z 0-9 . _ -');
  if (isEntryKey(key)) {
    if (!NAME.test(key.set)) throw new RangeError('A set needs a name of 1-150 printable ASCII characters without braces');
    if (key.id.length < 1 || key.id.length > 64) throw new RangeError(`An entry of ${key.set} needs an id of 1-64 octets`);
  } else {
    if (!NAME.test(key.log)) throw new RangeError('A log needs a name of 1-150 printable ASCII characters without braces');
    if (!RECORD_ID.test(key.id)) throw new RangeError(`A record of ${key.log} needs an id of 1-200 printable ASCII characters`);
  }
}

/** @throws RangeError for a range outside the alphabet of keys. */
export function assertRange(range: Range): void {
  if (!OWNER.test(range.owner)) throw new RangeError('A range needs an owner of a-z 0-9 . _ -');
  if (!NAME.test('set' in range ? range.set : range.log)) throw new RangeError('A range needs the name of a set or log');
  if ('set' in range && range.after !== undefined) assertKey({ ...range, id: range.after });
}

/** How many records of a range are asked for at most. */
export function limitOf(range: Range): number {
  return ('log' in range ? range.limit : undefined) ?? Number.POSITIVE_INFINITY;
}

/**
 * The changes by owner, in the order in which an engine must write them: the owner with expectations first.
 * @throws RangeError where the call breaks the contract of Store.apply.
 */
export function byOwner(changes: readonly Change[], expect: readonly Expectation[] = []): readonly OwnerChanges[] {
  if (changes.length > MAX_CHANGES || expect.length > MAX_CHANGES) throw new RangeError(`An apply takes at most ${MAX_CHANGES} changes`);
  const owners = new Map<string, OwnerChanges>();
  for (const change of changes) {
    assertKey(change.key);
    const own = owners.get(change.key.owner);
    if (own) own.changes.push(change);
    else owners.set(change.key.owner, { owner: change.key.owner, changes: [change], expect: [] });
  }
  const conditional = new Set<OwnerChanges>();
  for (const expectation of expect) {
    assertKey(expectation.key);
    const own = owners.get(expectation.key.owner);
    if (!own) throw new RangeError('An expectation needs a change of the same owner');
    own.expect.push(expectation);
    conditional.add(own);
  }
  if (conditional.size > 1) throw new RangeError('The expectations of one apply must be of one owner');
  return [...conditional, ...[...owners.values()].filter(own => !conditional.has(own))];
}
