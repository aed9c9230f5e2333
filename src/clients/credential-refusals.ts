/** Why a credential cannot be made or changed. */
import type { CampaignId, ClientId, CredentialId } from '../ids.ts';
import type { Block } from './addresses.ts';
import type { Doors } from './doors.ts';
import type { CredentialLookup } from './lookup.ts';
import { type Refusal, refuse } from './refusal.ts';

/** Two credentials for one address would let chance decide whose mail it is. @throws StoreUnavailable */
export async function clash(
  doors: Doors,
  lookup: CredentialLookup,
  username: CredentialId,
  blocks: readonly Block[],
): Promise<Refusal | undefined> {
  for (const { door, block } of await doors.overlapping(username, blocks)) {
    const other = await lookup.load(door.username);
    if (other === undefined || other.credential.disabled) continue;
    return refuse('taken', `ip: ${block.text} overlaps with the blocks of another credential without a password; narrow one of them`);
  }
  return undefined;
}

export function unknownClient(client: string): Refusal {
  return refuse('unknown', `client: there is no client ${client}`);
}

export function removedClient(client: ClientId): Refusal {
  return refuse('disabled', `client: ${client} was removed; add it again`);
}

export function unknownCampaign(campaign: CampaignId | string, client: ClientId): Refusal {
  return refuse('unknown', `campaign: client ${client} has no campaign ${campaign}`);
}

export function unknownUsername(): Refusal {
  return refuse('unknown', 'username: there is no such credential');
}

export function takenUsername(): Refusal {
  return refuse('taken', 'username: somebody else has it or just took it; choose another');
}

export function disabledUsername(): Refusal {
  return refuse('disabled', 'username: this credential is disabled; add it again');
}
