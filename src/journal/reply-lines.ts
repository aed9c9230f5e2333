/** How a line of the reply log is kept, and its words apart from it; and whether a line is one that was asked for. */
import type { Sealer } from '../keys/seal.ts';
import { type Change, isEntryKey, type Key, type RecordKey } from '../store/store.ts';
import type { Owner } from './pseudonyms.ts';
import type { LoggedReply, ReplyQuery } from './reply.ts';

export const LINES = 'replies';
/** What the person wrote, under the owner's own key: it goes with that key, or with an erasure. */
const WORDS = 'reply-words';

export interface Line extends Omit<LoggedReply, 'id' | 'owner' | 'people' | 'text' | 'span'> {
  /** Pseudonyms, the writers' first. */
  readonly people: readonly string[];
  readonly writers: number;
}

export interface Words extends Pick<LoggedReply, 'text' | 'span'> {
  readonly messageId: string | undefined;
}

/** `pseudonym`: of whom it must be about. */
export function fits(line: Line, { state, kind, campaign }: ReplyQuery, pseudonym: string | undefined): boolean {
  return (
    (state === undefined || line.state === state) &&
    (kind === undefined || line.kind === kind) &&
    (campaign === undefined || line.campaign === campaign) &&
    (pseudonym === undefined || line.people.includes(pseudonym))
  );
}

export function lineKey(owner: Owner, id: string): RecordKey {
  return { owner, log: LINES, id };
}

export function wordsKey(owner: Owner, id: string): RecordKey {
  return { owner, log: WORDS, id };
}

export function put(sealer: Sealer, key: RecordKey, value: object): Change {
  return { key, value: sealer.seal(JSON.stringify(value), aad(key)) };
}

export function aad(key: Key): string {
  return isEntryKey(key) ? `${key.owner}/${key.set}/${key.id.toString('hex')}` : `${key.owner}/${key.log}/${key.id}`;
}
