/** A gate whose sessions, logins and replies are counted and timed, for metrics. */
import { type Door, type Metrics, resultOf, secondsSince } from '../ops/metrics.ts';
import { type Gate, isReply, type Transaction } from './gate.ts';

/** The same gate, seen from outside: what it answers is not touched. */
export function measuredGate<Login>(gate: Gate<Login>, door: Door, metrics: Metrics): Gate<Login> {
  metrics.sessions.set({ door }, 0);
  metrics.sessionsBegun.inc({ door }, 0);
  return {
    connect(peer) {
      const refusal = gate.connect(peer);
      if (refusal === undefined) {
        metrics.sessions.inc({ door });
        metrics.sessionsBegun.inc({ door });
      }
      return refusal;
    },
    async authenticate(peer, username, password) {
      const answer = await gate.authenticate(peer, username, password);
      metrics.logins.inc({ result: isReply(answer) ? resultOf(answer.code) : 'accepted' });
      return answer;
    },
    async mail(peer, login, path, parameters) {
      const answer = await gate.mail(peer, login, path, parameters);
      return isReply(answer) ? answer : measuredTransaction(answer, door, metrics);
    },
    closed(peer) {
      metrics.sessions.dec({ door });
      gate.closed(peer);
    },
  };
}

function measuredTransaction(transaction: Transaction, door: Door, metrics: Metrics): Transaction {
  return {
    async rcpt(path) {
      const from = performance.now();
      const reply = await transaction.rcpt(path);
      metrics.rcpt.observe({ door }, secondsSince(from));
      return reply;
    },
    data: () => transaction.data(),
    async message(octets) {
      const from = performance.now();
      const reply = await transaction.message(octets);
      metrics.message.observe({ door, result: resultOf(reply.code) }, secondsSince(from));
      return reply;
    },
    end: () => transaction.end(),
  };
}
