/** Stopping and renewing a running gate: what is under way ends with the truth, and no session is dropped for a certificate. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import t, { type Test } from 'tap';
import { ACME, acmeSite, person } from '../support/acme.ts';
import { campaignMail, greeted, idOf, sendOne } from '../support/platform.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import type { SinkEvent } from '../support/sink.ts';
import type { RunningGate } from '../support/site.ts';
import { dial, type SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

const STOPPING = '421 4.3.2 Service is stopping';

/** A session that has said these lines, and was told to go on after each. */
async function having(t: Test, { port }: RunningGate, ...lines: readonly string[]): Promise<SmtpClient> {
  const client = await greeted(port, 30_000);
  t.teardown(() => client.close());
  for (const line of lines) t.match(await client.ask(line), /^[23]/, line);
  return client;
}

const transaction = (to: string) => ['MAIL FROM:<sales@acme.example>', `RCPT TO:<${to}>`, 'DATA'];

t.test(
  'law 2: SIGTERM: a message under way is finished and its 250 is the upstream’s; nothing new begins; the journal is written',
  async t => {
    const { site, sink, house } = await acmeSite(
      t,
      {},
      { script: ({ stage }) => (stage === 'dot' ? '250 2.0.0 Taken as 4711' : undefined) },
    );
    await house(({ lists }) => lists.add({ owner: ACME }, person('listed@there.example'), { reason: 'manual', source: 'operator' }));
    const gate = await site.serve();
    const idle = await having(t, gate);
    const sending = await having(t, gate, ...transaction('clean@there.example'));
    const opened = await having(t, gate, 'MAIL FROM:<sales@acme.example>');
    const text = campaignMail('finished', 'clean@there.example');
    sending.write(text.slice(0, 100));
    const refused = await sendOne(gate.port, 'listed@there.example');
    t.match(refused.reply, /^550 5\.7\.1 /);

    const stopped = gate.stop();
    t.equal((await idle.rest()).trim(), STOPPING, 'who does nothing is sent away');
    await t.rejects(dial(gate.port), { code: 'ECONNREFUSED' });
    t.match(await opened.ask('RCPT TO:<clean@there.example>'), /^250/, 'an open transaction may go on');
    t.equal(gate.child.exitCode, null);
    sending.write(`${text.slice(100)}.\r\nMAIL FROM:<sales@acme.example>\r\n`);
    t.equal((await sending.reply()).text, '250 2.0.0 Taken as 4711');
    t.equal((await sending.rest()).trim(), STOPPING, 'a new one is not begun');
    t.match(await opened.ask('RSET'), /^250/);
    t.equal((await opened.rest()).trim(), STOPPING);
    t.equal(await stopped, 0);

    t.same(
      sink.messages.map(({ octets }) => idOf(octets)),
      ['finished'],
    );
    const { totals } = (await site.cli('stats', '--json')).json<{ totals: Record<string, number> }>();
    t.match(totals, { relayed: 1, rejected: 1 }, 'what was counted last is written');
    const ref = /ref=(\S+)/.exec(refused.reply)?.[1] ?? '';
    t.match(await site.cli('decision', 'show', ref), { code: 0, stdout: /listed@there\.example/ });
  },
);

/** Upstreams that answer the final dot late or never, or nothing at all from RCPT on. */
async function slow({ stage, path, transaction }: SinkEvent) {
  if (stage === 'rcpt' && path.startsWith('stuck@')) return { end: 'stall' } as const;
  if (stage !== 'dot') return undefined;
  if (transaction?.to.includes('never@there.example')) return { end: 'stall' } as const;
  if (transaction?.to.includes('late@there.example')) await sleep(3_000);
  return undefined;
}

t.test('law 2: the limit of a stop: whoever may be relayed already is told what became of it, not 421', async t => {
  const { site, sink } = await acmeSite(t, { submission: { stopSeconds: 1 } }, { script: slow });
  const gate = await site.serve();
  const unfinished = await having(t, gate, ...transaction('unfinished@there.example'));
  unfinished.write('Subject: half a mess');
  const judged = async (name: string) => {
    const client = await having(t, gate, ...transaction(`${name}@there.example`));
    client.write(`${campaignMail(name, `${name}@there.example`)}.\r\n`);
    return client;
  };
  const [late, never, stuck] = [await judged('late'), await judged('never'), await judged('stuck')];
  await until(
    'all three are upstream',
    () => sink.transactions.filter(({ complete }) => complete).length === 2 && sink.transactions.length === 3,
  );
  const stopped = gate.stop();
  t.equal((await unfinished.rest()).trim(), STOPPING, 'a message that is not whole');
  t.equal((await late.reply()).text, '250 2.0.0 Taken', 'taken after the limit: no reason to send it again');
  t.match((await stuck.reply()).text, /^451 4\.3\.0 /, 'no dot was sent: safe to send again');
  t.match((await never.reply()).text, /^451 4\.3\.0 /, 'lost after the dot: nobody knows');
  t.equal(await stopped, 0);
  t.same(
    sink.messages.map(({ octets }) => idOf(octets)),
    ['late'],
  );
  const { totals } = (await site.cli('stats', '--json')).json<{ totals: Record<string, number> }>();
  t.match(totals, { relayed: 1, unknown: 1, deferred: 1 });
});

t.test('a gate whose Redis is away stops all the same', { skip: noRedis }, async t => {
  const redis = await startRedis(t);
  const { site } = await acmeSite(t, { store: { url: redis.url } });
  const gate = await site.serve();
  t.match(await sendOne(gate.port, 'clean@there.example'), { reply: /^250/ });
  redis.freeze();
  t.match(await sendOne(gate.port, 'clean@there.example'), { reply: /^451/ });
  t.equal(await gate.stop(), 0);
});

t.test('a new certificate is taken up on SIGHUP and when its files change; sessions stay, and a broken one changes nothing', async t => {
  const { site } = await acmeSite(t, { submission: { tls: { cert: 'gate.crt', key: 'gate.key' } } });
  const replace = async (): Promise<string> => {
    const pair = await generate([{ name: 'commonName', value: 'gate.example' }], { keyType: 'ec', algorithm: 'sha256' });
    for (const [name, text] of Object.entries({ 'gate.key': pair.private, 'gate.crt': pair.cert })) {
      writeFileSync(join(site.dir, `${name}.new`), text);
      renameSync(join(site.dir, `${name}.new`), join(site.dir, name));
    }
    return pair.cert;
  };
  const first = await replace();
  const gate = await site.serve();
  const shown = async (client: SmtpClient): Promise<string> => {
    await client.starttls();
    const der = client.socket instanceof TLSSocket ? client.socket.getPeerCertificate().raw : Buffer.alloc(0);
    return der.toString('base64');
  };
  const isShown = (pem: string) => async () => {
    const client = await greeted(gate.port);
    const seen = await shown(client);
    client.close();
    return seen === pem.replaceAll(/-----[A-Z ]+-----|\s/g, '');
  };
  t.ok(await isShown(first)());
  const encrypted = await having(t, gate);
  await shown(encrypted);
  t.match(await encrypted.ask('EHLO mailer.example'), /^250/);
  const sending = await having(t, gate, ...transaction('clean@there.example'));

  const second = await replace();
  gate.child.kill('SIGHUP');
  await until('the certificate after SIGHUP', isShown(second));
  const third = await replace();
  await until('the certificate noticed in its file', isShown(third));
  writeFileSync(join(site.dir, 'gate.crt'), first);
  gate.child.kill('SIGHUP');
  await until('the complaint', () => gate.log().includes('the new certificate is not usable'));
  t.ok(await isShown(third)(), 'the last good one stays in use');

  t.match(await encrypted.ask('NOOP'), /^250/, 'the session of the first certificate goes on');
  sending.write(`${campaignMail('renewed', 'clean@there.example')}.\r\n`);
  t.match((await sending.reply()).text, /^250/, 'and so does a transaction');
  for (const client of [encrypted, sending]) client.close();
  t.equal(await gate.stop(), 0);
});
