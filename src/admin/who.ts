/** Who asks, as the audit trail names them. */
import type { Actor } from '../accounts/account.ts';
import type { Who } from '../audit/act.ts';
import type { Source } from '../lists/standing.ts';

export function whoOf({ account, ip }: Pick<Actor, 'account' | 'ip'>): Who {
  return { by: account, from: ip };
}

/** An entry's source and author: a client's own account stands for its platform. */
export function actOf({ account, role }: Pick<Actor, 'account' | 'role'>): { readonly source: Source; readonly by: string } {
  return { source: role === 'client' ? 'platform' : 'operator', by: account };
}
