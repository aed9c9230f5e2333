/** A platform's script with nothing but curl: registers, imports 100,000 rows, sends, and reads who was refused, to the last recipient. */
import t, { type Test } from 'tap';
import { answered, noCurl, type Page, Script } from '../support/curl.ts';
import { campaignMail } from '../support/platform.ts';
import { type Sink, startSink } from '../support/sink.ts';
import { mustAnswer, newSite } from '../support/site.ts';
import { dial, type SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

const ACME = '/v1/clients/acme';
const ROWS = 100_000;

interface Job {
  readonly id: string;
  readonly state: string;
  readonly octets: number;
  readonly read: number;
  readonly added: number;
  readonly existing: number;
  readonly invalid: number;
  readonly merged: { readonly done: number; readonly total: number };
}

interface Decision {
  readonly id: string;
  readonly campaign?: string;
  readonly credential?: string;
  readonly stage: string;
  readonly outcome: string;
  readonly token: string;
  readonly reply: string;
  readonly recipient?: string;
}

interface Counts {
  readonly totals: Readonly<Record<string, number>>;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}

/** One a line: addresses, a domain, one address again in other letters, and two bad rows at the very end. */
function listFile(): string {
  const people = Array.from({ length: ROWS - 4 }, (_, i) => `person${i}@firm${i % 5_000}.example`);
  return `${[...people, 'blocked.example', 'Person0@FIRM0.example', 'nobody at all', '@@'].join('\n')}\n`;
}

const jobsTold = (printed: string, event: string): readonly Job[] =>
  [...printed.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)].flatMap(([, name, data]) => (name === event ? [JSON.parse(data ?? '')] : []));

/** Uploads half of the file, waits until that is seen, uploads the rest; the last of what the events told. */
async function importList(t: Test, script: Script): Promise<Job> {
  const file = Buffer.from(listFile());
  const half = file.length >> 1;
  const path = `${ACME}/imports`;
  const upload = script.curl(path, '-X', 'POST', '-T', '-', '-H', 'Content-Type: text/plain', '-w', '\n%{http_code}');
  const { stdin } = upload.child;
  stdin?.write(file.subarray(0, half));
  const receiving = await until('an import that has part of its file', async () => {
    const { items } = await script.ask<Page<Job>>(200, 'GET', path);
    return items.find(({ state, octets }) => state === 'receiving' && octets > 0);
  });
  const events = script.curl(`${path}/${receiving.id}/events`, '-N');
  await until('progress told', () => jobsTold(events.said(), 'progress').some(({ state }) => state === 'receiving'));
  const start = performance.now();
  stdin?.end(file.subarray(half));
  const accepted = answered(202, await upload.ended) as Job;
  const [ended, ...more] = jobsTold(await events.ended, 'end');
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  t.comment(`${ROWS} rows: ${seconds} s from the upload of the second half to the end told over SSE`);
  t.same([accepted.id, ended?.id, more], [receiving.id, receiving.id, []], 'one import, one end');
  const progress = jobsTold(events.said(), 'progress');
  const octets = progress.map(job => job.octets);
  t.same(
    octets,
    [...octets].sort((a, b) => a - b),
    `progress goes one way: ${progress.map(({ state, merged }) => `${state} ${merged.done}/${merged.total}`).join(', ')}`,
  );
  return ended as Job;
}

/** What one recipient's sender was told, and where. */
interface Told {
  readonly to: string;
  readonly stage: 'rcpt' | 'data';
  readonly reply: string;
}

const NO_LINK = (text: string) => text.replace(/^Privacy: .*\r\n/m, '');

/** Sends to these in one transaction. */
async function send(client: SmtpClient, recipients: readonly string[], shape = (text: string) => text): Promise<readonly Told[]> {
  await client.ask('MAIL FROM:<sales@acme.example>');
  const told: Told[] = [];
  const taken: string[] = [];
  for (const to of recipients) {
    const reply = await client.ask(`RCPT TO:<${to}>`);
    if (reply.startsWith('250')) taken.push(to);
    else told.push({ to, stage: 'rcpt', reply });
  }
  if (taken.length === 0) {
    await client.ask('RSET');
    return told;
  }
  await client.ask('DATA');
  client.write(`${shape(campaignMail(`to-${taken[0]}`, taken.join('>, <')))}.\r\n`);
  const { text: reply } = await client.reply();
  return [...told, ...taken.map((to): Told => ({ to, stage: 'data', reply }))];
}

async function loggedIn(port: number, user: string, password: string): Promise<SmtpClient> {
  const client = await dial(port);
  await client.reply();
  await client.ask('EHLO mailer.example');
  await client.starttls();
  await client.ask('EHLO mailer.example');
  const reply = await client.ask(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`);
  if (!reply.startsWith('235')) throw new Error(reply);
  return client;
}

const tokenOf = (reply: string) => /\((\S+)\) ref=/.exec(reply)?.[1] ?? '';
const refOf = (reply: string) => / ref=(\S{16})$/.exec(reply)?.[1] ?? '';

function tally(words: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const word of [...words].sort()) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** Sends mail with every fate; what SMTP said of each recipient. */
async function mail(t: Test, client: SmtpClient, sink: Sink): Promise<readonly Told[]> {
  const told = [
    ...(await send(client, ['free1@customer.example'])),
    ...(await send(client, ['person4711@firm4711.example', 'free2@customer.example', 'PERSON99995@Firm4995.Example'])),
    ...(await send(client, ['person0@firm0.example'])),
    ...(await send(client, ['anybody@blocked.example', 'else@deep.below.blocked.example'])),
    ...(await send(client, ['free3@customer.example'], NO_LINK)),
    ...(await send(client, ['free3@customer.example', 'free4@customer.example'])),
    // Not listed: neighbours of what is.
    ...(await send(client, ['person1@firm2.example', 'anybody@notblocked.example'])),
  ];
  const refused = told.filter(({ reply }) => reply.startsWith('5'));
  t.same(
    tally(refused.map(({ reply, stage }) => `${stage} ${tokenOf(reply)}`)),
    { 'data privacy-link': 1, 'rcpt excluded': 5 },
    'refused over SMTP',
  );
  t.ok(
    told.every(({ reply }) => reply.startsWith('250') || refOf(reply) !== ''),
    'and nothing else but 250',
  );
  t.same(
    sink.messages.flatMap(({ to }) => to),
    told.filter(({ reply }) => reply.startsWith('250')).map(({ to }) => to),
    'the others arrive',
  );
  return told;
}

/** What the API says of all this is what SMTP said, recipient by recipient and summed up. */
async function agree(t: Test, script: Script, told: readonly Told[]): Promise<void> {
  const refused = told.filter(({ reply }) => reply.startsWith('5'));
  const relayed = told.length - refused.length;
  const decisions = await until('all refusals written', async () => {
    const found = await script.all<Decision>(`${ACME}/decisions`, 2);
    return found.length >= refused.length && found;
  });
  const newestFirst = refused.toSorted((one, other) => (refOf(one.reply) < refOf(other.reply) ? 1 : -1));
  t.same(
    decisions.map(({ id, reply, recipient, stage, token }) => [`${reply} ref=${id}`, recipient?.toLowerCase(), stage, token]),
    newestFirst.map(({ reply, to, stage }) => [reply, to.toLowerCase(), stage, tokenOf(reply)]),
    'decisions, newest first, are the refusals that SMTP told, each with its ref',
  );
  t.ok(decisions.every(({ campaign, credential, outcome }) => `${campaign} ${credential} ${outcome}` === 'spring acme-mailer rejected'));
  for (const { reply, to } of refused) {
    const one = await script.ask<Decision>(200, 'GET', `${ACME}/decisions/${refOf(reply)}`);
    t.equal(one.recipient?.toLowerCase(), to.toLowerCase(), 'found by the ref of its reply');
  }
  const excluded = await script.ask<Page<Decision>>(200, 'GET', '/v1/decisions?client=acme&campaign=spring&token=excluded&limit=1000');
  t.same(
    excluded.items.map(({ id }) => id),
    decisions.filter(({ token }) => token === 'excluded').map(({ id }) => id),
  );

  const totals = { relayed, rejected: refused.length, deferred: 0, observed: 0, unknown: 0 };
  const counts = await until('all recipients counted', async () => {
    const found = await script.ask<Counts>(200, 'GET', `${ACME}/stats?groupBy=outcome,token`);
    return Object.values(found.totals).reduce((sum, n) => sum + n) >= told.length && found;
  });
  t.same(counts.totals, totals, 'every recipient is counted once');
  const perToken = Object.fromEntries(counts.rows.map(({ outcome, token, count }) => [`${outcome} ${token}`.trim(), count]));
  t.same(perToken, tally(told.map(({ reply }) => (reply.startsWith('250') ? 'relayed' : `rejected ${tokenOf(reply)}`))), 'by token, too');
  const perDay = await script.ask<Counts>(200, 'GET', '/v1/stats?client=acme&campaign=spring&from=2020-01-01&groupBy=client,campaign');
  t.same(perDay, { ...perDay, totals, rows: [{ client: 'acme', campaign: 'spring', ...totals }] }, 'by client and campaign');
  const csv = await script.curl(`${ACME}/stats?groupBy=campaign&format=csv`).ended;
  t.equal(csv, `campaign,relayed,rejected,deferred,observed,unknown\r\nspring,${relayed},${refused.length},0,0,0\r\n`, 'as CSV');
}

t.test("a platform's script, curl only", { skip: noCurl }, async t => {
  const sink = await startSink();
  const site = newSite({ upstream: { url: sink.url('?starttls=off') } });
  t.teardown(async () => {
    await site.close();
    await sink.close();
  });
  mustAnswer(await site.cli('account', 'add', 'boss', '--role', 'admin'));
  const { token } = mustAnswer(await site.cli('token', 'add', 'boss', '--json')).json<{ token: string }>();
  const gate = await site.serve();
  const script = new Script(gate.adminPort, token);

  const about = { id: 'acme', name: 'Acme', privacyUrls: ['https://www.acme.example/privacy'], fromDomains: ['acme.example'] };
  await script.ask(201, 'POST', '/v1/clients', about);
  await script.ask(200, 'POST', '/v1/clients', about);
  await script.ask(201, 'POST', `${ACME}/campaigns`, { id: 'spring' });
  const mailer = { username: 'acme-mailer', campaign: 'spring' };
  const { password } = await script.ask<{ password: string }>(201, 'POST', `${ACME}/credentials`, mailer);

  await t.test('A18: 100,000 rows, uploaded as a stream, with progress until the end', async t => {
    const job = await importList(t, script);
    const { state, read, added, existing, invalid } = job;
    t.same({ state, read, added, existing, invalid }, { state: 'finished', read: ROWS, added: ROWS - 3, existing: 1, invalid: 2 });
    t.same(await script.ask<Job>(200, 'GET', `${ACME}/imports/${job.id}`), job, 'the same when asked for');
    const { items } = await script.ask<Page<{ line: number; problem: string }>>(200, 'GET', `${ACME}/imports/${job.id}/errors`);
    t.same(
      items.map(({ line }) => line),
      [ROWS - 1, ROWS],
      'bad rows by their lines',
    );
    t.notMatch(JSON.stringify(items), /nobody at all/);
  });

  const client = await loggedIn(gate.port, mailer.username, password);
  t.teardown(async () => client.close());
  await t.test('A16 A19: decisions and counts are what SMTP said', async t => {
    await agree(t, script, await mail(t, client, sink));
  });

  await t.test('A19 B16: an exclusion binds the very next RCPT, and no longer than it stands', async t => {
    const target = { address: 'free1@customer.example' };
    const { address } = target;
    const rcpt = async () => {
      await client.ask('RSET');
      await client.ask('MAIL FROM:<sales@acme.example>');
      return client.ask(`RCPT TO:<${address}>`);
    };
    t.match(await rcpt(), /^250 /);
    await script.ask(201, 'POST', `${ACME}/exclusions`, { ...target, reason: 'manual' });
    await script.ask(200, 'POST', `${ACME}/exclusions`, { ...target, reason: 'manual' });
    t.match(await rcpt(), /^550 5\.7\.1 Recipient may not be mailed \(excluded\) ref=\S{16}$/);
    t.match(await script.ask(200, 'GET', `${ACME}/suppressions/check?address=${address}`), { listed: true });
    await script.ask(204, 'DELETE', `${ACME}/exclusions?address=${address}`);
    await script.ask(204, 'DELETE', `${ACME}/exclusions?address=${address}`);
    t.match(await script.ask(200, 'GET', `${ACME}/suppressions/check?address=${address}`), { listed: false, entries: [] });
    t.match(await rcpt(), /^250 /);

    await script.ask(201, 'POST', `${ACME}/exclusions`, { domain: 'customer.example', campaign: 'spring', reason: 'policy' });
    t.match(await rcpt(), /^550 5\.7\.1 /, "a campaign's domain");
    await script.ask(204, 'DELETE', `${ACME}/exclusions?domain=customer.example&campaign=spring`);
    t.match(await rcpt(), /^250 /);

    // Taken at RCPT, listed before the dot.
    await client.ask('DATA');
    await script.ask(201, 'POST', `${ACME}/exclusions`, { ...target, reason: 'manual' });
    client.write(`${campaignMail('late', address)}.\r\n`);
    t.match((await client.reply()).text, /^550 5\.7\.1 Recipient may not be mailed \(excluded\) ref=\S{16}$/);
  });

  t.notMatch(gate.log(), /postern_|@(firm|customer|blocked)|nobody at all/, 'neither token nor person is logged');
  t.notOk(gate.log().includes(password), 'nor the password');
  t.equal(await gate.stop(), 0);
});
