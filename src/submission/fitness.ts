/** What no policy may allow: a loop, a message that readers would read differently, a campaign of somebody else's. */
import type { Message } from '../mail/message.ts';
import { reject } from '../mail/reply.ts';
import type { Bound } from './campaigns.ts';
import type { Ground } from './record.ts';

/** RFC 5321 §6.3 asks for a number that no honest mail meets; real mail has under 15. */
const MAX_RECEIVED = 30;

const UNREGISTERED: Ground = {
  check: 'gate',
  token: 'campaign',
  reason: 'a header names a campaign that this client has not registered',
  reply: reject(550, '5.7.1', 'Message may not be sent (campaign)'),
};

/** Why this message cannot go, whatever the policy; or whose campaign it is. */
export function fitness(message: Message, bound: Bound | undefined): { readonly unfit: Ground } | Bound {
  const hops = message.all('received').length;
  if (hops > MAX_RECEIVED) {
    return {
      unfit: {
        check: 'gate',
        token: 'loop',
        reason: `${hops} Received fields`,
        reply: reject(554, '5.4.6', 'Mail loop: too many Received fields'),
      },
    };
  }
  if (message.ambiguity !== undefined) {
    const reply = reject(554, '5.6.0', 'Message can be read in more than one way (ambiguous)');
    return { unfit: { check: 'gate', token: 'ambiguous', reason: message.ambiguity, reply } };
  }
  return bound ?? { unfit: UNREGISTERED };
}
