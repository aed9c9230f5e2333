/** The `ref=` that leads from a refusal on the wire to its decision record. */
import type { DecisionId } from '../ids.ts';
import { accept, defer, isDeferred, isRejected, type Reply, reject } from '../mail/reply.ts';

/** The reply with ` ref=<id>` at its end, so that `decision show <id>` explains it. */
export function withRef(reply: Reply, id: DecisionId): Reply {
  // A long text must not push the ref over the end of the line.
  const text = `${reply.text.slice(0, 400)} ref=${id}`;
  const rest = reply.status.slice(2) as `${number}.${number}`;
  if (isRejected(reply)) return reject(reply.code, `5.${rest}`, text);
  if (isDeferred(reply)) return defer(reply.code, `4.${rest}`, text);
  return accept(reply.code, `2.${rest}`, text);
}
