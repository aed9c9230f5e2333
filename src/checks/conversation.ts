/** Refuses everybody but those whose logged reply the message answers: what a salesperson's own answer is, as opposed to campaign mail. */
import { Type } from 'typebox';
import type { ReplyLog } from '../journal/reply.ts';
import type { Message } from '../mail/message.ts';
import { reject } from '../mail/reply.ts';
import { defineCheck, type Verdict } from '../policy/check.ts';

export interface ConversationNeeds {
  readonly replies: Pick<ReplyLog, 'wroteReply'>;
}

const TOKEN = 'conversation';

export const conversation = defineCheck({
  name: 'conversation',
  doc: 'The message answers a logged reply that this very recipient wrote to this client (In-Reply-To); asked under the policy `conversation` only.',
  promises: ['A1', 'A17'],
  tokens: [{ token: TOKEN, meaning: 'The message answers no reply of this recipient.' }],
  options: Type.Object({}, { additionalProperties: false }),
  defaults: {},
  create(_options, { replies }: ConversationNeeds) {
    return {
      async rcpt(rcpt, { client, message }) {
        // Which reply is answered is known at the dot only.
        if (message === undefined) return undefined;
        const answered = answeredBy(message);
        if (answered === undefined) return refusal('the In-Reply-To field does not name one message');
        if (await replies.wroteReply(client, answered, rcpt)) return undefined;
        return refusal('In-Reply-To names no logged reply of this recipient to this client that still stands as one');
      },
    };
  },
});

/**
 * The one Message-ID that the message answers (RFC 5322 §3.6.4), with angle brackets. Not References, which names the whole thread:
 * everybody who ever wrote in it.
 */
function answeredBy(message: Message): string | undefined {
  const fields = message.all('in-reply-to');
  const ids = fields.length === 1 ? (fields[0]?.match(/<[^<>\s]+>/g) ?? []) : [];
  return ids.length === 1 ? ids[0] : undefined;
}

function refusal(reason: string): Verdict {
  return { reply: reject(550, '5.7.1', 'Recipient may not be mailed (conversation)'), token: TOKEN, reason };
}
