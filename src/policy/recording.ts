/** Puts the policies on record when a gate starts: an auditor asks which rules held on a day, and the configuration alone does not tell. */
import type { Logger } from '../ops/log.ts';
import { regularly } from '../ops/regularly.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { PolicyBook } from './book.ts';

const RETRY_MS = 60_000;

/** Before mail may pass; where the store is away, as soon as it answers: until then nothing passes anyway. */
export async function recordPolicies(book: PolicyBook, log: Logger, retryMs = RETRY_MS): Promise<{ stop(): Promise<void> }> {
  let due = true;
  const record = async (): Promise<void> => {
    if (!due) return;
    const policies = await book.recordConfigured();
    due = false;
    if (policies.length > 0) log.info({ policies }, 'these policies are not what was on record; now they are');
  };
  await record().catch((error: unknown) => {
    if (!(error instanceof StoreUnavailable)) throw error;
    log.warn({ reason: error.message }, 'the policies could not be put on record; it is tried again');
  });
  return regularly(retryMs, 'putting the policies on record', log, record);
}
