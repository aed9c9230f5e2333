/** What clients are built from. */
import type { Audit } from '../audit/audit.ts';
import type { Digests } from '../keys/digest.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Vault } from '../keys/vault.ts';
import type { Clock } from '../ops/clock.ts';
import type { Store } from '../store/store.ts';
import type { Rules } from './validation.ts';

export interface ClientParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly digests: Digests;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly audit: Audit;
  /** As they are now: policies may be made at any time. */
  readonly rules: () => Promise<Rules>;
}
