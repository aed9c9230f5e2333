/** The whole way of a mail, every hop real: the gate as a process, a Postfix upstream over verified TLS, and the recording sink behind it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TEST_CERTIFICATE } from './certificate.ts';
import { splitMessage } from './dkim.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import { type Sink, type SinkTransaction, startSink } from './sink.ts';
import { mustAnswer, newSite, type RunningGate, type Site } from './site.ts';
import { until } from './until.ts';

export interface Chain {
  readonly site: Site;
  readonly gate: RunningGate;
  readonly upstream: Postfix;
  readonly sink: Sink;
  /** Adds a credential of client acme's; its password. */
  credential(username: string, ...options: readonly string[]): Promise<string>;
  /** The one transaction at the far end that `mine` finds. */
  arrived(what: string, mine: (transaction: SinkTransaction) => boolean): Promise<SinkTransaction>;
}

/** Client acme exists; the gate listens for STARTTLS on `gate.ports[0]`, for implicit TLS on `gate.ports[1]`. All of it ends with the test. */
export async function startChain(t: { teardown(end: () => unknown): unknown }): Promise<Chain> {
  const sink = await startSink();
  t.teardown(() => sink.close());
  const site = newSite();
  t.teardown(() => site.close());
  const pem = join(site.dir, 'upstream.pem');
  writeFileSync(pem, TEST_CERTIFICATE.key + TEST_CERTIFICATE.cert);
  const [upstream] = await Promise.all([
    startPostfix({
      relayhost: `[${sink.host}]:${sink.port}`,
      message_size_limit: '30000000',
      smtpd_tls_chain_files: pem,
      smtpd_tls_security_level: 'encrypt',
      local_header_rewrite_clients: '',
    }),
    site.addAcme(),
  ]);
  t.teardown(() => upstream.stop());
  const url = `smtp://127.0.0.1:${upstream.port}?starttls=require&servername=sink.example&ca=${pem}`;
  const env = { POSTERN_UPSTREAM_URL: url, POSTERN_SUBMISSION_LISTEN: '127.0.0.1:0,smtps://127.0.0.1:0', POSTERN_LOG_LEVEL: 'warn' };
  const gate = await site.serve(env);
  return {
    site,
    gate,
    upstream,
    sink,
    async credential(username, ...options) {
      const added = mustAnswer(await site.cli('credential', 'add', 'acme', username, ...options, '--json'));
      return added.json<{ password: string }>().password;
    },
    arrived: (what, mine) => until(`${what} at the far end`, () => sink.messages.find(mine)),
  };
}

/** `Message-ID: <id@…>` stands in the header. */
export function hasId(id: string): (transaction: SinkTransaction) => boolean {
  const field = new RegExp(`^message-id:\\s*<${id}@`, 'i');
  return ({ octets }) => splitMessage(octets).fields.some(text => field.test(text));
}

/** What the hops put on top, each its Received field, topmost first; and every octet below. */
export function takeOff(octets: Buffer, hops: number): { readonly received: readonly string[]; readonly below: Buffer } {
  const received = splitMessage(octets).fields.slice(0, hops);
  const length = received.join('').length;
  return { received, below: octets.subarray(length) };
}
