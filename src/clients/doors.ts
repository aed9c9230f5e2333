/** Open doors: the IP blocks that are a credential by themselves, in one index over all clients. */
import { GLOBAL } from '../ids.ts';
import type { Keyring } from '../keys/keyring.ts';
import { checkHead, headKey } from '../store/head.ts';
import type { Change, Store } from '../store/store.ts';
import { type Block, overlap, toBlocks } from './addresses.ts';
import { doorKey, OPEN_DOORS, type OpenDoor, type SealedRecords } from './records.ts';

export interface Door {
  readonly username: OpenDoor['username'];
  readonly blocks: readonly Block[];
}

export class Doors {
  readonly #store: Store;
  readonly #keyring: Keyring;
  readonly #records: SealedRecords;
  #known: { readonly version: number; readonly doors: readonly Door[] } | undefined;

  constructor(store: Store, keyring: Keyring, records: SealedRecords) {
    this.#store = store;
    this.#keyring = keyring;
    this.#records = records;
  }

  /** The write that opens a door, or shuts the one that was there where `ips` is undefined. Goes with a change of the global head. */
  change(record: string, username: OpenDoor['username'], ips: readonly string[] | undefined, turn?: string): Change {
    if (ips === undefined) return { key: doorKey(record), value: undefined };
    return this.#records.put(doorKey(record), { username, ips, turn } satisfies OpenDoor);
  }

  /** The door of a credential's record, where it has one. */
  async at(record: string): Promise<OpenDoor | undefined> {
    const [value] = await this.#store.find([doorKey(record)]);
    return value === undefined ? undefined : this.#records.get<OpenDoor>(doorKey(record), value);
  }

  /** Whose doors the address could come through, the most specific block's first. The index only points, the credential itself decides. */
  async through(remoteAddress: string): Promise<readonly OpenDoor['username'][]> {
    const found = (await this.#all()).flatMap(({ username, blocks }) =>
      blocks.filter(block => block.contains(remoteAddress)).map(({ prefix }) => ({ username, prefix })),
    );
    return found.sort((a, b) => b.prefix - a.prefix).map(({ username }) => username);
  }

  /** Other credentials' doors that share an address with `blocks`, and the block that does. */
  async overlapping(
    username: OpenDoor['username'],
    blocks: readonly Block[],
  ): Promise<readonly { readonly door: Door; readonly block: Block }[]> {
    return (await this.#all()).flatMap(door => {
      const block = blocks.find(own => door.blocks.some(other => overlap(own, other)));
      return block === undefined || door.username === username ? [] : [{ door, block }];
    });
  }

  async #all(): Promise<readonly Door[]> {
    const [globalHead] = await this.#store.find([headKey(GLOBAL)]);
    const { version } = checkHead(globalHead, this.#keyring.fingerprint);
    if (this.#known?.version === version) return this.#known.doors;
    const doors: Door[] = [];
    for await (const [key, value] of this.#store.scan(OPEN_DOORS)) {
      const { username, ips } = this.#records.get<OpenDoor>(key, value);
      doors.push({ username, blocks: toBlocks(ips) });
    }
    // Under the version read before: after a change meanwhile, the next asking reads again.
    this.#known = { version, doors };
    return doors;
  }
}
