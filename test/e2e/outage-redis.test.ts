/** Redis goes away, freezes, forgets or comes back empty under a running gate: mail waits, and nobody who is listed is mailed meanwhile. */
import t, { type Test } from 'tap';
import { ACME, type Acme, acmeSite, person } from '../support/acme.ts';
import { campaignMail, greeted, idOf, Platform, sendOne } from '../support/platform.ts';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';
import type { RunningGate } from '../support/site.ts';
import type { SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

const LISTED = ['excluded@there.example', 'anyone@closed.example', 'suppressed@there.example'];
/** A decision during an outage is made within 300 ms; a loaded machine may look on for longer. */
const AT_ONCE_MS = 2_000;

interface Setting extends Acme {
  readonly redis: TestRedis;
}

async function setting(t: Test): Promise<Setting> {
  // Synced when acknowledged: these tests are about outages, not about what a Redis may lose.
  const redis = await startRedis(t, { args: ['--appendfsync', 'always'] });
  const acme = await acmeSite(t, { store: { url: redis.url }, submission: { stopSeconds: 1 } });
  await acme.house(async ({ lists }) => {
    await lists.add({ owner: ACME }, person('excluded@there.example'), { reason: 'manual', source: 'operator' });
    await lists.add({ owner: 'global' }, { domain: 'closed.example' }, { reason: 'manual', source: 'operator' });
    await lists.suppress({ owner: ACME }, person('suppressed@there.example'), { reason: 'objection', source: 'recipient' });
  });
  return { ...acme, redis };
}

const recovers = (gate: RunningGate) =>
  until('a clean message passes again', async () => (await sendOne(gate.port, 'recovered@there.example')).reply.startsWith('250'));

/** Sessions that stand at each stage of a transaction, so that the next decision falls into the outage. */
async function midway(t: Test, gate: RunningGate): Promise<readonly { readonly stage: string; next(): Promise<string> }[]> {
  const open = async (...lines: readonly string[]): Promise<SmtpClient> => {
    const client = await greeted(gate.port);
    t.teardown(() => client.close());
    for (const line of lines) if (!/^[23]/.test(await client.ask(line))) throw new Error(`${line} was refused`);
    return client;
  };
  const [mail, rcpt, data] = ['MAIL FROM:<sales@acme.example>', 'RCPT TO:<midway@there.example>', 'DATA'];
  const atMail = await open();
  const atRcpt = await open(mail);
  const atListed = await open(mail);
  const atDot = await open(mail, rcpt, data);
  const dot = async () => {
    atDot.write(`${campaignMail('midway', 'midway@there.example')}.\r\n`);
    return (await atDot.reply()).text;
  };
  return [
    { stage: 'MAIL', next: () => atMail.ask(mail) },
    { stage: 'RCPT', next: () => atRcpt.ask(rcpt) },
    { stage: 'RCPT of a listed person', next: () => atListed.ask(`RCPT TO:<${LISTED[0]}>`) },
    { stage: 'the final dot', next: dot },
  ];
}

/** What the platform was told and what the sink got must agree. */
function nobodyLost(t: Test, { sink }: Acme, platform: Platform): void {
  const took = sink.messages.map(({ octets }) => idOf(octets));
  t.same([...new Set(took)], took, 'nothing twice at the upstream');
  const ids = new Set(took);
  t.same(
    platform.taken.filter(({ id }) => !ids.has(id)),
    [],
    'law 2: every 250 is the upstream’s',
  );
  t.equal(platform.taken.length, platform.told.filter(({ id }) => ids.has(id)).length, 'nothing was taken upstream without a 250');
  t.same(platform.unknown, []);
  t.notOk(ids.has('midway'), 'nor what was deferred at its final dot');
  const to = sink.transactions.flatMap(transaction => transaction.rcpts.map(({ path }) => path));
  t.same(
    to.filter(path => LISTED.includes(path)),
    [],
    'law 1: nobody who is listed was named to the upstream',
  );
}

/** Recipients in turn: three clean ones and a listed one. */
function recipients(): () => string {
  let n = 0;
  return () => {
    n += 1;
    return n % 4 === 0 ? (LISTED[n % 3] as string) : `clean${n}@there.example`;
  };
}

async function outageUnderLoad(
  t: Test,
  begin: (redis: TestRedis) => Promise<void>,
  end: (redis: TestRedis) => Promise<void>,
): Promise<void> {
  const all = await setting(t);
  const gate = await all.site.serve();
  const platform = new Platform(() => gate.port);
  t.teardown(() => platform.close());
  const load = platform.load(3, recipients());
  await until('the load runs', () => platform.taken.length >= 20 && platform.told.some(({ to }) => LISTED.includes(to)));
  const stages = await midway(t, gate);

  await begin(all.redis);
  const from = platform.told.length;
  for (const { stage, next } of stages) t.match(await next(), /^451 4\.3\.0 /, `${stage}: deferred`);
  await until('the load meets the outage', () => platform.told.length >= from + 30);
  // Those that were under way when it began may have got through.
  const during = platform.told.slice(from + 6);
  t.same(
    during.filter(({ reply }) => !reply.startsWith('451 4.3.0 ')),
    [],
    `law 1: all ${during.length} decisions were 451`,
  );
  const slowest = Math.max(...during.map(({ ms }) => ms));
  t.comment(`slowest decision of ${during.length} during the outage: ${Math.round(slowest)} ms`);
  t.ok(slowest < AT_ONCE_MS, `each was told at once (${Math.round(slowest)} ms)`);
  t.equal(gate.child.exitCode, null, 'the gate stays');

  await end(all.redis);
  await recovers(gate);
  const after = platform.taken.length;
  await until('the load is taken again', () => platform.taken.length >= after + 20);
  await load.stop();
  const refused = platform.told.filter(({ to }) => LISTED.includes(to));
  t.same(
    refused.filter(({ reply }) => !/^(550 5\.7\.1|451 4\.3\.0) /.test(reply)),
    [],
    'listed: refused or deferred, every time',
  );
  nobodyLost(t, all, platform);
  t.equal(await gate.stop(), 0);
}

t.test(
  'law 1, law 2: Redis is killed under load: 451, then recovery; no listed recipient relayed, no message lost or doubled',
  { skip: noRedis },
  async t => {
    await outageUnderLoad(
      t,
      redis => redis.kill(),
      redis => redis.restart(),
    );
  },
);

t.test('law 1, law 2: Redis freezes under load: the same', { skip: noRedis }, async t => {
  await outageUnderLoad(
    t,
    async redis => redis.freeze(),
    async redis => redis.thaw(),
  );
});

t.test(
  'law 1: Redis comes back empty: 451 for AUTH, MAIL and RCPT until it is restored; a gate started on it stays up',
  { skip: noRedis },
  async t => {
    const { redis, site, password, sink } = await setting(t);
    const gate = await site.serve();
    t.match(await sendOne(gate.port, 'before@there.example'), { stage: 'dot', reply: /^250/ });
    await redis.keepCopy();
    await recovers(gate);
    const [, atRcpt] = await midway(t, gate);
    await redis.empty();

    const second = await site.serve();
    const relayed = sink.transactions.length;
    for (const [name, { port }] of Object.entries({ 'the gate that was there': gate, 'a gate started on it': second })) {
      for (const to of ['clean@there.example', ...LISTED])
        t.match(await sendOne(port, to), { stage: 'mail', reply: /^451 4\.3\.0 / }, `${name}: MAIL`);
      const client = await greeted(port);
      await client.starttls();
      await client.ask('EHLO mailer.example');
      t.match(await client.ask(`AUTH PLAIN ${Buffer.from(`\0acme\0${password}`).toString('base64')}`), /^451 4\.3\.0 /, `${name}: AUTH`);
      client.close();
    }
    t.match(await atRcpt?.next(), /^451 4\.3\.0 /, 'RCPT');
    t.match(second.log(), /the store is empty, but its keys or .* are not new: it was lost/);
    const command = await site.cli('client', 'list');
    t.match(command, { code: 1, stderr: /There is no store at / }, 'a command says what is wrong');
    t.match(await site.cli('client', 'add', 'other', '--name', 'O', '--privacy-url', 'https://o.example/p', '--from-domain', 'o.example'), {
      code: 75,
      stderr: /the store is empty, but .* restore it/,
    });
    t.equal(sink.transactions.length, relayed);

    await redis.restoreCopy();
    for (const running of [gate, second]) {
      await recovers(running);
      for (const to of LISTED) t.match(await sendOne(running.port, to), { stage: 'rcpt', reply: /^550 5\.7\.1 / });
      t.equal(await running.stop(), 0);
    }
  },
);

t.test('law 1: a gate whose Redis is away waits for it; commands fail with 75', { skip: noRedis }, async t => {
  const { redis, site } = await setting(t);
  await redis.kill();
  const gate = await site.serve();
  t.match(await sendOne(gate.port, 'clean@there.example'), { stage: 'mail', reply: /^451 4\.3\.0 / });
  t.match(await site.cli('list', 'add', 'acme', 'one@there.example'), { code: 75, stdout: '', stderr: /does not answer/ });
  await redis.restart();
  await recovers(gate);
  t.match(await sendOne(gate.port, LISTED[0] as string), { reply: /^550 5\.7\.1 / });
  t.equal(await gate.stop(), 0);
});

t.test('law 1: a Redis that may forget is refused at start, and the setting named', { skip: noRedis }, async t => {
  const { redis, site } = await setting(t);
  const cases = [
    { args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'], says: /maxmemory-policy noeviction/ },
    { args: ['--appendonly', 'no'], says: /appendonly yes/ },
  ];
  for (const { args, says } of cases) {
    await redis.restart(args);
    t.match(await site.cli('serve'), { code: 1, stderr: says });
  }
});
