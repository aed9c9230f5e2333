/** A sending platform for tests: submits lawful campaign mail over kept sessions, and writes down what it was told of each message. */
import { setTimeout as sleep } from 'node:timers/promises';
import { dial, type SmtpClient } from './smtp-client.ts';

export type Stage = 'connect' | 'mail' | 'rcpt' | 'data' | 'dot';

export interface Told {
  /** Stands in the message's Message-ID: `<id@mailer.example>`. */
  readonly id: string;
  readonly to: string;
  /** Where the message's fate was told. */
  readonly stage: Stage;
  /** What was said there; empty where the connection went without a word. */
  readonly reply: string;
  /** Milliseconds that the slowest reply took. */
  readonly ms: number;
}

const FROM = 'sales@acme.example';

/** A message of acme's (test/support/site.ts) that says who sends it, where the policy is, and how to opt out. Ends with CRLF. */
export function campaignMail(id: string, to: string, more: readonly string[] = []): string {
  const header = [
    `From: Acme Sales <${FROM}>`,
    `To: <${to}>`,
    'Subject: Widgets for your line',
    `Message-ID: <${id}@mailer.example>`,
    'Date: Mon, 01 Jun 2026 10:00:00 +0000',
    'List-Unsubscribe: <https://www.acme.example/unsubscribe>',
    ...more,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
  ];
  const body = [
    'Good day,',
    'our widgets may fit your line.',
    'Privacy: https://www.acme.example/privacy',
    'Unsubscribe: https://www.acme.example/unsubscribe',
  ];
  return `${[...header, '', ...body].join('\r\n')}\r\n`;
}

/** The id that campaignMail put into a message. */
export function idOf(octets: Buffer): string {
  return /^Message-ID: <(.*)@mailer\.example>/m.exec(octets.toString('latin1'))?.[1] ?? '';
}

/** A session that has greeted the gate. */
export async function greeted(port: number, waitMs?: number): Promise<SmtpClient> {
  const client = await dial(port, waitMs === undefined ? {} : { waitMs });
  await client.reply();
  await client.ask('EHLO mailer.example');
  return client;
}

/** Sends one message over a session of its own. */
export async function sendOne(port: number, to: string, more: readonly string[] = []): Promise<Told> {
  const platform = new Platform(() => port);
  try {
    return await platform.send(to, more);
  } finally {
    platform.close();
  }
}

let sent = 0;

/** Needs a credential that asks for no password (`credential add … --ip 127.0.0.1/32 --no-password`). */
export class Platform {
  /** In the order of being told. */
  readonly told: Told[] = [];
  readonly #port: () => number;
  readonly #idle: SmtpClient[] = [];
  #stopped = false;

  /** `port` is asked at every new connection: a gate that was restarted has another. */
  constructor(port: () => number) {
    this.#port = port;
  }

  /** Sends one message. Never rejects: what went wrong is told. */
  async send(to: string, more: readonly string[] = []): Promise<Told> {
    sent += 1;
    const id = `m${sent}`;
    let stage: Stage = 'connect';
    let [reply, ms] = ['', 0];
    const ask = async (next: Stage, say: () => void): Promise<boolean> => {
      [stage, reply] = [next, ''];
      const start = performance.now();
      say();
      reply = (await client.reply()).text;
      ms = Math.max(ms, performance.now() - start);
      return /^[23]/.test(reply);
    };
    let client: SmtpClient;
    try {
      client = this.#idle.pop() ?? (await greeted(this.#port()));
    } catch {
      return this.#write({ id, to, stage, reply, ms });
    }
    try {
      const taken =
        (await ask('mail', () => client.send(`MAIL FROM:<${FROM}>`))) &&
        (await ask('rcpt', () => client.send(`RCPT TO:<${to}>`))) &&
        (await ask('data', () => client.send('DATA'))) &&
        (await ask('dot', () => client.write(`${campaignMail(id, to, more)}.\r\n`)));
      const refused = reply.startsWith('5');
      if (refused) await client.ask('RSET');
      if (taken || refused) this.#idle.push(client);
      else client.close();
    } catch {
      client.close();
    }
    return this.#write({ id, to, stage, reply, ms });
  }

  /** Sends to `next()` over so many sessions at once until `stop`, which resolves when the last message was told of. */
  load(sessions: number, next: () => string): { stop(): Promise<void> } {
    this.#stopped = false;
    const one = async () => {
      while (!this.#stopped) {
        const { stage } = await this.send(next());
        await sleep(stage === 'connect' ? 100 : 5);
      }
    };
    const running = Promise.all(Array.from({ length: sessions }, one));
    return {
      stop: async () => {
        this.#stopped = true;
        await running;
      },
    };
  }

  /** Of messages that were taken. */
  get taken(): readonly Told[] {
    return this.told.filter(({ stage, reply }) => stage === 'dot' && reply.startsWith('250'));
  }

  /** Of messages of which nobody was told what became of them. */
  get unknown(): readonly Told[] {
    return this.told.filter(({ stage, reply }) => stage === 'dot' && reply === '');
  }

  close(): void {
    for (const client of this.#idle.splice(0)) client.close();
  }

  #write(told: Told): Told {
    this.told.push(told);
    return told;
  }
}
