/** The message that a report returned, whole or its header: whose it was, and where it begins in a report that is all text. */

import { type Field, readFields } from '../../mail/fields.ts';
import { decodeWords } from '../../mail/header.ts';
import type { Part } from '../../mail/parts.ts';
import type { Returned } from '../finding.ts';
import { findAddresses } from './bounce-addresses.ts';

const RETURNED_TYPES = [
  'message/rfc822',
  'message/global',
  'text/rfc822-headers',
  'message/rfc822-headers',
  'message/global-headers',
  'text/rfc822-header',
];

/** Whether a part is the returned message or its header. */
export function isReturned({ type }: Part): boolean {
  return RETURNED_TYPES.includes(type);
}

/** The returned message's fields: of the first part that holds it, else as they stand in the text behind the report. */
export function returnedFields(parts: readonly Part[], behind: string): readonly Field[] {
  const part = parts.find(isReturned);
  return part === undefined ? headerIn(Buffer.from(behind)) : headerIn(part.octets());
}

/** What is told of the returned message; `reversePath` where the report itself names it (X-Postfix-Sender, Original-Mail-From). */
export function returnedOf(fields: readonly Field[], reversePath?: string): Returned | undefined {
  const value = (name: string): string | undefined => fields.find(field => field.name === name)?.value;
  const id = /<[^<>\s]{1,500}>/.exec(value('message-id') ?? '')?.[0];
  const path = reversePath ?? value('return-path') ?? value('x-envelope-from');
  const to = addressesOf(value('to'));
  if (id === undefined && path === undefined && to.length === 0) return undefined;
  return { messageId: id, reversePath: path === undefined ? undefined : findAddresses(path)[0]?.address, to };
}

/** The addresses of a field, each once. */
export function addressesOf(value: string | undefined): readonly string[] {
  return [...new Set(findAddresses(decodeWords((value ?? '').slice(0, 4000))).map(({ address }) => address))];
}

/** The fields of the first header in the octets, behind blank lines and lines that introduce it. */
function headerIn(octets: Buffer): readonly Field[] {
  for (let at = 0; at < octets.length && at < 4096; ) {
    const end = octets.indexOf('\n', at);
    if (/^[A-Za-z][A-Za-z0-9-]{1,60}:[ \t]/.test(octets.toString('latin1', at, Math.min(at + 80, octets.length)))) {
      const { fields } = readFields(octets, at, octets.length);
      if (fields.length > 1) return fields;
    }
    if (end < 0) break;
    at = end + 1;
  }
  return [];
}
