/** Whole messages that the reply log keeps because nobody else took them: in chunks, under their owner's key. */
import type { Sealer } from '../keys/seal.ts';
import type { RecordKey, Store } from '../store/store.ts';
import type { Owner } from './pseudonyms.ts';
import { aad } from './reply-lines.ts';

const LOG = 'reply-kept';
const CHUNK = 1024 * 1024;

interface Place {
  readonly owner: Owner;
  readonly id: string;
}

/** The same again changes nothing. @throws StoreUnavailable */
export async function keepMessage(store: Store, sealer: Sealer, place: Place, octets: Buffer): Promise<void> {
  const count = Math.max(1, Math.ceil(octets.length / CHUNK));
  for (let n = 0; n < count; n++) {
    const key: RecordKey = { owner: place.owner, log: LOG, id: `${chunkId(place, n)}/${count}` };
    const value = sealer.seal(octets.subarray(n * CHUNK, (n + 1) * CHUNK), aad(key));
    await store.apply([{ key, value }]);
  }
}

/** Undefined where it is not there, or was not kept to its end. @throws StoreUnavailable */
export async function keptMessage(store: Store, sealer: Sealer, place: Place): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  // One by one: a store has a moment to answer, and all of them may be many megabytes.
  for (let count = 1; chunks.length < count; ) {
    const id = chunkId(place, chunks.length);
    let chunk: Buffer | undefined;
    for await (const [key, value] of store.scan({ owner: place.owner, log: LOG, from: `${id}/`, to: `${id}0`, limit: 1 })) {
      chunk = sealer.open(value, aad(key));
      count = Number(String(key.id).split('/')[1]);
    }
    if (chunk === undefined) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What a chunk's id begins with; then come a slash and how many there are. */
function chunkId({ id }: Place, n: number): string {
  return `${id}.${String(n).padStart(5, '0')}`;
}
