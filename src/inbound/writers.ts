/** Who wrote a message, as it says of itself: nobody vouches for it, and whoever objects may do so for himself. */
import { type Address, isAddress, parsePerson } from '../mail/address.ts';
import { mailboxes } from '../mail/header.ts';
import type { Message } from '../mail/message.ts';
import { unwrapped } from '../mail/rewritten.ts';
import { unique } from './persons.ts';

/** Authors of one message (RFC 5322 §3.6.2 allows several); more would be a way to object for others. */
const MAX_WRITERS = 10;
/** Characters of a field that are read where it is not as it should be. */
const MAX_LENIENT = 2_000;
/** A longer From is nobody's (of the authors in it MAX_WRITERS count), nor are so many of them. */
const MAX_FIELD = 16_384;
const MAX_FIELDS = 10;

/**
 * The From field's mailboxes, else the envelope's sender, with BATV and SRS undone. A From that a strict reader refuses (`Doe, Jane
 * <jane@…>`) is read for what stands in angle brackets: a person's objection does not fail for her program's spelling.
 */
export function writersOf(message: Message, reversePath: string): readonly Address[] {
  const authors = people(message.all('from').slice(0, MAX_FIELDS).flatMap(authorsIn));
  return authors.length > 0 ? authors : people([reversePath]);
}

function authorsIn(value: string): readonly string[] {
  const read = value.length > MAX_FIELD ? undefined : mailboxes(value);
  return read?.map(({ address }) => address.relayed) ?? lenient(value);
}

function people(texts: readonly string[]): readonly Address[] {
  const found = texts.map(text => parsePerson(unwrapped(text.trim().replace(/^<|>$/g, '')) ?? ''));
  return unique(found.filter(isAddress)).slice(0, MAX_WRITERS);
}

function lenient(value: string): readonly string[] {
  const text = value.slice(0, MAX_LENIENT);
  const angles = [...text.matchAll(/<([^<>\s]+@[^<>\s]+)>/g)].map(match => match[1] as string);
  return angles.length > 0 ? angles : (text.match(/[^\s<>(),;:"@]+@[^\s<>(),;:"@]+/g) ?? []);
}
