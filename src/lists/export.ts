/** Exports a scope's readable entries as CSV that our own import takes back as it was; suppressions are digests and stay here. */
import type { ListEntry } from './lists.ts';

export const EXPORT_HEADER = 'address,domain,reason,source,created_at';

/** The CSV rows of an entry, one for each of its acts; none where its person cannot be named. */
export function exportRows({ list, target, acts }: ListEntry): readonly string[] {
  if (list !== 'exclusion' || target === undefined) return [];
  const cells = target.includes('@') ? `${quoted(target)},` : `,${quoted(target)}`;
  return acts.map(({ reason, source, at }) => `${cells},${reason},${source},${new Date(at).toISOString()}`);
}

/** RFC 4180 §2: a cell with a delimiter, quote or line end stands in quotes. */
function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
