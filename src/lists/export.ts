/** Exports a scope's entries as CSV or NDJSON: exclusions as our own import takes them back, suppressions as digests. */
import type { ListEntry } from './lists.ts';

export const FORMATS = ['csv', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

export const EXPORT_HEADER = 'address,domain,reason,source,created_at';
const SUPPRESSION_HEADER = 'digest,match,reason,source,created_at';

/** The line before all others, with its end; empty where there is none. */
export function exportHeader(list: ListEntry['list'], format: Format): string {
  if (format === 'ndjson') return '';
  return `${list === 'exclusion' ? EXPORT_HEADER : SUPPRESSION_HEADER}\n`;
}

/** The lines of an entry with their ends, one for each of its acts; none where it cannot be read. */
export function exportLines({ list, match, target, digest, acts }: ListEntry, format: Format): readonly string[] {
  if (list === 'exclusion' && target === undefined) return [];
  const whom = list === 'suppression' ? { digest, match } : { [match]: target };
  return acts.map(({ reason, source, at }) => {
    const createdAt = new Date(at).toISOString();
    if (format === 'ndjson') return `${JSON.stringify({ ...whom, reason, source, createdAt })}\n`;
    const cells = list === 'suppression' ? [digest, match] : match === 'domain' ? ['', target] : [inert(target ?? ''), ''];
    return `${[...cells, reason, source, createdAt].map(quoted).join(',')}\n`;
  });
}

/**
 * An address that no spreadsheet takes for a formula (OWASP, CSV Injection): a local part that begins as one stands in quotes, which is
 * the same mailbox (RFC 5321 §4.1.2), and an import reads it as such. No `@`, tab or line end begins one, and no other cell is anybody's own text.
 */
function inert(address: string): string {
  if (!/^[=+-]/.test(address)) return address;
  const at = address.lastIndexOf('@');
  return `"${address.slice(0, at)}"${address.slice(at)}`;
}

/** RFC 4180 §2: a cell with a delimiter, quote or line end stands in quotes. */
function quoted(cell = ''): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
