/** A gate for the listener's own tests: takes everything, remembers what it was asked, and does what a test tells it to. */
import { accept, type Reply, reject } from '../../src/mail/reply.ts';
import type { Gate, MailParameters, Peer, Transaction } from '../../src/smtp/gate.ts';

export interface Taken {
  readonly peer: { readonly remoteAddress: string; readonly helo: string; readonly secure: string | undefined; readonly protocol: string };
  readonly login: string | undefined;
  readonly path: string;
  readonly parameters: MailParameters;
  readonly rcpt: readonly string[];
  readonly octets: Buffer;
}

/** Overrides: whatever is given here answers instead. */
export interface Answers {
  connect?: (peer: Peer) => Reply | undefined;
  authenticate?: (username: string, password: string) => Promise<{ login: string } | Reply>;
  mail?: (path: string) => Promise<Reply | undefined>;
  rcpt?: (path: string) => Promise<Reply>;
  data?: () => Promise<Reply | undefined>;
  message?: (octets: Buffer) => Promise<Reply>;
  end?: () => void;
}

export const PASSWORD = 'right';
export const WRONG = reject(535, '5.7.8', 'Authentication credentials invalid');

export class OpenGate implements Gate<string> {
  readonly taken: Taken[] = [];
  /** `connect`, `begin`, `end`, `closed`, in order. */
  readonly events: string[] = [];
  readonly peers: Peer[] = [];
  readonly answers: Answers;

  constructor(answers: Answers = {}) {
    this.answers = answers;
  }

  connect(peer: Peer): Reply | undefined {
    const refusal = this.answers.connect?.(peer);
    if (refusal === undefined) {
      this.events.push('connect');
      this.peers.push(peer);
    }
    return refusal;
  }

  async authenticate(_peer: Peer, username: string, password: string): Promise<{ login: string } | Reply> {
    if (this.answers.authenticate !== undefined) return this.answers.authenticate(username, password);
    return password === PASSWORD ? { login: username } : WRONG;
  }

  async mail(peer: Peer, login: string | undefined, path: string, parameters: MailParameters): Promise<Transaction | Reply> {
    const refusal = await this.answers.mail?.(path);
    if (refusal !== undefined) return refusal;
    this.events.push('begin');
    const rcpt: string[] = [];
    const { answers, events, taken } = this;
    return {
      async rcpt(to) {
        const reply = (await answers.rcpt?.(to)) ?? accept(250, '2.1.5', 'OK');
        if (reply.code < 300) rcpt.push(to);
        return reply;
      },
      async data() {
        return answers.data?.();
      },
      async message(octets) {
        const reply = (await answers.message?.(octets)) ?? accept(250, '2.0.0', 'Taken');
        const { remoteAddress, helo, secure, protocol } = peer;
        if (reply.code < 300) taken.push({ peer: { remoteAddress, helo, secure, protocol }, login, path, parameters, rcpt, octets });
        return reply;
      },
      end() {
        events.push('end');
        answers.end?.();
      },
    };
  }

  closed(_peer: Peer): void {
    this.events.push('closed');
  }
}
