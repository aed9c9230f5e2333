/** What a ledger line says, once opened: which entries an objection or a lift concerned. */
import type { EntryKey } from '../store/store.ts';
import { type ActRow, actRows, actsOfRows, type EntryAct } from './entry.ts';

export interface LedgerChange {
  readonly set: string;
  readonly id: Buffer;
  /** The sealed entry: an objection's as it may be put where nothing is; a lift's exactly as it was before. */
  readonly value: Buffer;
  /** The acts that were added or lifted. */
  readonly acts: readonly EntryAct[];
}

export interface LedgerRecord {
  readonly kind: 'objection' | 'lift';
  readonly owner: string;
  readonly changes: readonly LedgerChange[];
}

export function keyOfChange(owner: string, { set, id }: LedgerChange): EntryKey {
  return { owner, set, id };
}

type Row = readonly [set: string, id: string, value: string, acts: readonly ActRow[]];

/** As records begin: JSON keeps the order of encodeRecord. */
const OPENINGS = { objection: Buffer.from('{"k":"objection",'), lift: Buffer.from('{"k":"lift",') } as const;

export function encodeRecord({ kind, owner, changes }: LedgerRecord): string {
  const rows: readonly Row[] = changes.map(({ set, id, value, acts }) => [
    set,
    id.toString('base64'),
    value.toString('base64'),
    actRows(acts),
  ]);
  return JSON.stringify({ k: kind, o: owner, c: rows });
}

/** undefined: of the other kind. That is told by how it begins, for most of what a replay skips need not be parsed. */
export function decodeRecord(plain: Buffer, kind: LedgerRecord['kind']): LedgerRecord | undefined {
  const other = OPENINGS[kind === 'lift' ? 'objection' : 'lift'];
  if (plain.subarray(0, other.length).equals(other)) return undefined;
  const { k, o, c } = JSON.parse(plain.toString()) as { k: LedgerRecord['kind']; o: string; c: readonly Row[] };
  if (k !== kind) return undefined;
  const changes = c.map(([set, id, value, acts]) => ({
    set,
    id: Buffer.from(id, 'base64'),
    value: Buffer.from(value, 'base64'),
    acts: actsOfRows(acts),
  }));
  return { kind: k, owner: o, changes };
}
