/** Which losses of a trail a named person may accept on record: those that a restored older copy of the store leaves, and no others. */
import type { AuditFinding, Verification } from './verify.ts';

/** Numbers of the first and the last record of a stretch. */
export interface Loss {
  readonly from: number;
  readonly to: number;
}

/** What is lost, from the first on; empty where nothing is; or why it is not to be accepted. */
export type Acceptability = readonly Loss[] | { readonly problem: string };

/** `count`: number of the record after which the trail goes on. */
export function lossesIn({ findings, records }: Verification, count: number): Acceptability {
  const other = findings.find(finding => !isLeftByRestore(finding, records, count));
  if (other !== undefined) {
    return { problem: `a restore does not leave this, so it is not accepted: ${other.text}` };
  }
  const losses: Loss[] = [];
  for (const { from = 0, to = from } of findings.filter(({ what }) => what !== 'head').sort((a, b) => (a.from ?? 0) - (b.from ?? 0))) {
    const before = losses.at(-1);
    if (before !== undefined && from <= before.to + 1) losses[losses.length - 1] = { from: before.from, to: Math.max(before.to, to) };
    else losses.push({ from, to });
  }
  return losses;
}

function isLeftByRestore({ what, from = 0 }: AuditFinding, records: number, count: number): boolean {
  // A head that names records which are gone was not restored together with them.
  if (what === 'cut') return count < from;
  // The copy may be older than the trail's first line.
  return what === 'replaced' || (what === 'head' && records === 0);
}
