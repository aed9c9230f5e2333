/** What `doctor` says of the audit trails: whether their last lines are whole, and what was accepted as lost. */
import type { House } from '../app.ts';
import { VaultUnavailable } from '../keys/vault-shelf.ts';
import { describeLoss } from './audit.ts';
import type { Finding } from './diagnosis.ts';

/** Lines read of each trail: where a cut, a rollback and a store from a backup show; an edit further back is for `audit verify`. */
const LAST = 1000;

/** @throws StoreUnavailable */
export async function auditFindings(house: House): Promise<readonly Finding[]> {
  try {
    const owners = await house.audit.owners(await house.clients.ids());
    const findings: Finding[] = [];
    let longest = 0;
    for (const owner of owners) {
      const { findings: broken, accepted, anchored } = await house.audit.verify(owner, LAST);
      longest = Math.max(longest, anchored);
      if (broken.length > 0) findings.push(finding('fail', `${owner}: not whole; postern audit verify ${owner} says where`));
      for (const loss of accepted) findings.push(finding('warn', `${owner}: ${describeLoss(loss)}`));
    }
    if (findings.some(({ level }) => level === 'fail')) return findings;
    const far = longest > LAST ? `, of long ones the last ${LAST} lines (postern audit verify reads all)` : '';
    return [finding('ok', `${owners.length} trails whole${far}`), ...findings];
  } catch (error) {
    if (error instanceof VaultUnavailable) return [finding('fail', error.message)];
    throw error;
  }
}

function finding(level: Finding['level'], text: string): Finding {
  return { level, about: 'audit', text };
}
