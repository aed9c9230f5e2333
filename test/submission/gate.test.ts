/** The gate's own part: who may begin a transaction now, whatever was true when the session began; and what the log may say of it. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse, stringify } from 'yaml';
import { openHouse, startGate } from '../../src/app.ts';
import { createLog } from '../../src/ops/log.ts';
import { dial, type SmtpClient } from '../support/smtp-client.ts';
import { exclude, type Gatehouse, good, letter, newGatehouse, send, suppress } from './gatehouse.ts';

const MAIL = 'MAIL FROM:<bounce@acme.example>';

async function login(client: SmtpClient, user: string, password: string | undefined): Promise<string> {
  await client.starttls();
  await client.ask('EHLO platform.example');
  return client.ask(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password ?? ''}`).toString('base64')}`);
}

async function connected(t: Test, g: Gatehouse): Promise<SmtpClient> {
  const client = await g.hello();
  t.teardown(() => client.close());
  return client;
}

/** Closing takes a moment to be noticed. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await holds()) return;
    await new Promise(resolve => setTimeout(resolve, 30));
  }
  throw new Error('never so');
}

t.test('a session that changes clients takes no place of the client before', async t => {
  const g = await newGatehouse(t, { submission: { rate: { sessions: 1 } } });
  const { password } = good(await g.house.clients.addCredential({ client: 'other', username: 'desk' }));
  const changing = await connected(t, g);
  t.equal(await changing.ask(MAIL), '250 2.1.0 OK', 'as acme, by address');
  await changing.ask('RSET');
  const second = await connected(t, g);
  t.match(await second.ask(MAIL), /^421 4\.7\.0 Too many sessions/);
  t.match(await login(changing, 'desk', password), /^235/);
  t.equal(await changing.ask('MAIL FROM:<bounce@other.example>'), '250 2.1.0 OK', 'now as other');
  const third = await connected(t, g);
  t.equal(await third.ask(MAIL), '250 2.1.0 OK', "acme's place is free again");
  changing.close();
  third.close();
  await t.resolves(
    eventually(async () => (await (await connected(t, g)).ask(MAIL)).startsWith('250')),
    'and nothing stays behind',
  );
});

t.test('A30: a credential made anew, for whomever, is not the one that this session knew the password of', async t => {
  const g = await newGatehouse(t);
  const { clients } = g.house;
  const { password } = good(await clients.addCredential({ client: 'acme', username: 'desk' }));
  const client = await connected(t, g);
  t.match(await login(client, 'desk', password), /^235/);
  t.equal(await client.ask(MAIL), '250 2.1.0 OK');
  await client.ask('RSET');
  good(await clients.disableCredential('desk'));
  t.equal(await client.ask(MAIL), '525 5.7.13 Credential disabled');
  g.later(1);
  good(await clients.addCredential({ client: 'acme', username: 'desk' }));
  t.equal(await client.ask(MAIL), '525 5.7.13 Credential disabled', 'on again, with another password');
});

t.test('A33: removed and re-added while a session lasts: refused, then as it is now', async t => {
  const g = await newGatehouse(t);
  const client = await connected(t, g);
  t.equal(await client.ask(MAIL), '250 2.1.0 OK');
  await client.ask('RSET');
  good(await g.house.clients.remove('acme'));
  t.equal(await client.ask(MAIL), '530 5.7.0 Authentication required');
});

t.test('a policy that the configuration lost since: nothing passes', async t => {
  const g = await newGatehouse(t, { settings: { policies: { strict: {} } } });
  good(await g.house.clients.update('acme', { policy: 'strict' }));
  const client = await connected(t, g);
  t.match(await send(client, ['fine@example.net']), { last: /^250/ });
  const { policies: _, ...rest } = parse(readFileSync(g.configFile, 'utf8'));
  const file = join(g.dir, 'without.yaml');
  writeFileSync(file, stringify(rest));
  const second = await openHouse({ file, env: {} });
  const without = await startGate(second);
  t.teardown(() => second.close());
  t.teardown(() => without.stop());
  const late = await dial(without.addresses[0]?.port ?? 0);
  t.teardown(() => late.close());
  await late.reply();
  await late.ask('EHLO platform.example');
  t.equal(await late.ask(MAIL), '451 4.3.0 Cannot decide now');
});

t.test("a client's own limits go before the configured ones", async t => {
  const g = await newGatehouse(t, { submission: { rate: { perMinute: 1 } } });
  good(await g.house.clients.update('acme', { maxRate: 3 }));
  const client = await connected(t, g);
  for (let i = 0; i < 3; i++) {
    t.equal(await client.ask(MAIL), '250 2.1.0 OK');
    await client.ask('RSET');
  }
  t.match(await client.ask(MAIL), /^450 4\.7\.0 Too many messages, at most 3 a minute/);
  t.match(await client.ask('MAIL FROM:<no-domain>'), /^501 5\.1\.7/, 'nothing is taken for a MAIL that is refused anyway');
  g.later(1);
  good(await g.house.clients.update('acme', { maxRate: 0 }));
  for (let i = 0; i < 5; i++) {
    t.equal(await client.ask(MAIL), '250 2.1.0 OK');
    await client.ask('RSET');
  }
});

t.test('a recipient named twice is relayed once; in another spelling, as often as spelled', async t => {
  const g = await newGatehouse(t);
  const client = await connected(t, g);
  await send(client, ['fine@example.net', 'fine@example.net', '"fine"@EXAMPLE.net.', 'FINE@example.net']);
  t.same(
    g.sink.messages.map(({ to }) => to),
    [['fine@example.net', 'FINE@example.net']],
    'exactly what was looked up goes on: without needless quotes and final dot',
  );
  t.same(await g.counts(), { relayed: 2 });
});

t.test('A29, law 7: no address in the log, at any level, whatever happens', async t => {
  const g = await newGatehouse(t, {
    sink: { script: ({ path }) => (path.startsWith('gone') ? '550 5.1.1 <gone@example.net> is not here' : undefined) },
  });
  let text = '';
  const log = createLog('trace', {
    write: line => {
      text += line;
    },
  });
  const second = await g.second();
  const gate = await startGate({ ...second, log });
  t.teardown(() => gate.stop());
  await exclude(second, 'acme', 'listed@example.net');
  await suppress(second, 'acme', 'objected@example.net', { reason: 'objection', source: 'recipient' });
  const client = await dial(gate.addresses[0]?.port ?? 0);
  t.teardown(() => client.close());
  await client.reply();
  await client.ask('EHLO platform.example');
  const to = ['listed@example.net', 'objected@example.net', 'somebody@gmail.com', 'gone@example.net', 'fine@example.net', 'not an address'];
  t.match(await send(client, to), { last: /^250/ });
  t.match(await send(client, ['gone@example.net']), { last: /^550 5\.1\.1 <gone@example.net> is not here$/ });
  t.match(await send(client, ['fine@example.net'], { message: letter('From: News <news@other.example>') }), { last: /^550/ });
  g.sink.dropAll();
  await g.sink.close();
  t.match(await send(client, ['fine@example.net', 'more@example.net']), { last: /^451/ });
  await gate.journal.flush();
  t.match(text, /"token":"excluded"/);
  t.match(text, /upstream gave no answer/);
  t.notMatch(text, /@|example\.net|gmail/);
});

t.test('A29: the store on disk shows nobody', async t => {
  const g = await newGatehouse(t);
  await exclude(g.house, 'acme', 'listed@example.net');
  const client = await connected(t, g);
  await send(client, ['listed@example.net', 'fine@example.net', 'somebody@gmail.com']);
  await g.counts();
  const files = readdirSync(g.dir, { recursive: true, encoding: 'utf8' }).map(name => join(g.dir, name));
  const octets = Buffer.concat(files.filter(file => statSync(file).isFile() && file !== g.configFile).map(file => readFileSync(file)));
  t.ok(octets.length > 0);
  for (const word of ['listed@', 'fine@', 'somebody@', 'example.net', 'gmail.com', '127.0.0.1/32', 'robot']) {
    t.notOk(octets.includes(word), `no ${word}`);
  }
});
