/** A mail admin's first week: a Postfix set up as docs/postfix.md says, and everything that goes wrong in a week. Nobody lost, nobody twice, no false refusal. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { splitMessage } from '../support/dkim.ts';
import { freePort } from '../support/ports.ts';
import { type Postfix, postfixMissing, saslMissing, startPostfix } from '../support/postfix.ts';
import { guideCommands, readGuide } from '../support/postfix-guide.ts';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { type Sink, type SinkEvent, type SinkTransaction, startSink } from '../support/sink.ts';
import { mustAnswer, newSite, type RunningGate, type Site } from '../support/site.ts';
import { dial } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

const NEWS = 'news@acme.example';

interface Week {
  /** What the admin had before: cron mail and bounces go there. */
  readonly smarthost: Sink;
  /** Where Postern relays to. */
  readonly upstream: Sink;
  /** Answers of the upstream, to be changed at will. */
  readonly moods: { rcpt: (event: SinkEvent) => string | undefined };
  readonly site: Site;
  readonly redis: TestRedis;
  readonly postfix: Postfix;
  /** The same with auto-replies through Postern as well. */
  readonly notices: Postfix;
  readonly gate: { running: RunningGate };
}

async function startWeek(t: Test): Promise<Week> {
  const moods: Week['moods'] = { rcpt: () => undefined };
  const smarthost = await startSink();
  t.teardown(() => smarthost.close());
  const upstream = await startSink({ script: event => (event.stage === 'rcpt' ? moods.rcpt(event) : undefined) });
  t.teardown(() => upstream.close());
  const redis = await startRedis(t);
  const port = await freePort();
  const site = newSite({
    submission: { listen: `127.0.0.1:${port}`, hostname: 'gate.example.com' },
    store: { url: redis.url },
    upstream: { url: upstream.url('?starttls=off') },
  });
  t.teardown(() => site.close());
  const passwords: Record<string, string> = {};
  for (const command of guideCommands()) {
    const { username, password = '' } = mustAnswer(await site.cli(...command, '--json')).json<{ username?: string; password?: string }>();
    if (username !== undefined) passwords[username] = password;
  }
  const gate = { running: await site.serve() };
  const here = {
    '[smarthost.example.com]:25': `[127.0.0.1]:${smarthost.port}`,
    '[gate.example.com]:2525': `[127.0.0.1]:${port}`,
    'acme-news:PASSWORD': `acme-news:${passwords['acme-news']}`,
    'acme-notices:PASSWORD': `acme-notices:${passwords['acme-notices']}`,
    '/etc/postfix/postern.crt': join(site.dir, 'tls/self-signed.crt'),
    ':/etc/postfix/': ':$config_directory/',
  };
  const start = (variant?: string) => {
    const { settings, files } = readGuide(here, variant);
    return startPostfix({ myhostname: 'mail.acme.example', ...settings }, files);
  };
  const [postfix, notices] = await Promise.all([start(), start('notices')]);
  t.teardown(() => Promise.all([postfix.stop(), notices.stop()]));
  return { smarthost, upstream, moods, site, redis, postfix, notices, gate };
}

/** A lawful campaign mail; `id` makes the Message-ID. */
function campaign(id: string): string {
  return [
    'From: Acme News <news@acme.example>',
    'To: undisclosed-recipients:;',
    `Subject: ${id}`,
    'Date: Tue, 17 Nov 2026 10:00:00 +0000',
    `Message-ID: <${id}@acme.example>`,
    'List-Unsubscribe: <https://www.acme.example/leave?r=1>',
    '',
    'Half an hour less per order.',
    'Privacy policy: https://www.acme.example/privacy',
    'Unsubscribe: https://www.acme.example/leave?r=1',
    '',
  ].join('\r\n');
}

/** Hands a mail to Postfix, which takes everybody. */
async function submit(postfix: Postfix, from: string, to: readonly string[], text: string): Promise<void> {
  const client = await dial(postfix.port);
  await client.reply();
  await client.ask('EHLO tool.acme.example');
  for (const line of [`MAIL FROM:<${from}>`, ...to.map(path => `RCPT TO:<${path}>`)]) {
    const said = await client.ask(line);
    if (!said.startsWith('250 ')) throw new Error(said);
  }
  await client.ask('DATA');
  const said = await client.ask(`${text}.`);
  if (!said.startsWith('250 ')) throw new Error(said);
  client.close();
}

const people = (count: number, name: string): string[] => Array.from({ length: count }, (_, i) => `${name}${i}@there.example`);
const holds =
  (text: string) =>
  ({ octets }: SinkTransaction) =>
    octets.includes(text);

/** Everybody who got this message of a sink, in order: who got it twice stands there twice. */
function reached(sink: Sink, id: string): string[] {
  const mine = sink.messages.filter(({ octets }) => splitMessage(octets).fields.some(field => field.includes(`<${id}@acme.example>`)));
  return mine.flatMap(({ to }) => to).sort();
}

/** Whom a delivery report names as failed (RFC 3464 §2.3.2). */
function failed(report: SinkTransaction | undefined): string[] {
  return [...(report?.octets.toString('latin1').matchAll(/^Final-Recipient: rfc822; ?(\S+)/gm) ?? [])].map(([, path = '']) => path).sort();
}

const skip = postfixMissing() || saslMissing() || noRedis;

t.test("a mail admin's first week", { skip }, async t => {
  const week = await startWeek(t);
  const { smarthost, upstream, moods, site, postfix, notices, gate } = week;
  /** Waits until Postfix has nothing left to do. */
  const drained = async (which = postfix) => {
    try {
      await until('an empty queue', async () => (await which.queue()).length === 0, 90_000);
    } catch (error) {
      const seen = [
        JSON.stringify(await which.queue()),
        which.log().slice(-6000),
        gate.running.child.exitCode,
        gate.running.log().slice(-4000),
      ];
      throw new Error(seen.join('\n'), { cause: error });
    }
  };
  const deferred = (what: RegExp) =>
    until(`deferred: ${what}`, async () =>
      (await postfix.queue()).some(({ recipients }) => recipients.some(({ delay_reason = '' }) => what.test(delay_reason))),
    );

  await t.test('Monday: campaigns go through Postern, cron mail and all else as before', async t => {
    await submit(postfix, NEWS, ['bob@there.example'], campaign('monday'));
    await submit(postfix, 'bounces+7@campaigns.acme.example', ['eve@there.example'], campaign('monday-verp'));
    await submit(
      postfix,
      'root@mail.acme.example',
      ['admin@there.example'],
      'From: root@mail.acme.example\r\nSubject: Cron <root> backup\r\nMessage-ID: <cron@acme.example>\r\n\r\ndone\r\n',
    );
    await drained();
    t.same([reached(upstream, 'monday'), reached(upstream, 'monday-verp')], [['bob@there.example'], ['eve@there.example']]);
    t.same([reached(upstream, 'cron'), reached(smarthost, 'cron')], [[], ['admin@there.example']], 'cron mail needs no privacy link');
    t.match(upstream.messages[0]?.octets.toString(), /\r\n\tby gate\.example\.com with ESMTPSA id /);
    t.match(postfix.log(), /Verified TLS connection established to 127\.0\.0\.1/);
    t.equal(smarthost.messages.length, 1);
  });

  await t.test('Tuesday: of 100 recipients 3 are listed', async t => {
    const hundred = people(100, 'tuesday');
    const listed = ['tuesday17@there.example', 'tuesday51@there.example', 'tuesday99@there.example'];
    mustAnswer(await site.cli('list', 'add', 'acme', listed[0] ?? ''));
    mustAnswer(await site.cli('list', 'add', 'global', listed[1] ?? ''));
    mustAnswer(await site.cli('suppress', 'acme', listed[2] ?? ''));
    await submit(postfix, NEWS, hundred, campaign('tuesday'));
    await drained();
    t.same(reached(upstream, 'tuesday'), hundred.filter(path => !listed.includes(path)).sort(), '97 got it once');
    const reports = smarthost.messages.slice(1);
    t.same(
      reports.map(({ from, to }) => [from, to]),
      [['', [NEWS]]],
      'one bounce, to the sender, as before',
    );
    t.same(failed(reports[0]), listed, 'it names just the three');
    t.match(reports[0]?.octets.toString(), /550 5\.7\.1 Recipient may\s+not be\s+mailed/);
  });

  await t.test('Wednesday: auto-replies and bounces, through Postern too', async t => {
    const auto =
      'From: Ann <ann@acme.example>\r\nSubject: Automatic reply: hello\r\nAuto-Submitted: auto-replied\r\nMessage-ID: <auto@acme.example>\r\n\r\nI am away.\r\n';
    const three = people(3, 'wednesday');
    await submit(notices, '', three, auto);
    // A bounce of Postfix's own making: this recipient is listed.
    await submit(notices, NEWS, ['tuesday17@there.example'], campaign('wednesday'));
    await submit(
      notices,
      'receipts@acme.example',
      ['tuesday99@there.example'],
      'From: receipts@acme.example\r\nSubject: Your receipt\r\nMessage-ID: <receipt@acme.example>\r\n\r\n4 widgets\r\n',
    );
    await drained(notices);
    t.same(reached(upstream, 'auto'), three, 'each once');
    t.ok(upstream.messages.filter(holds('<auto@acme.example>')).every(({ from, to }) => from === '' && to.length === 1));
    const bounce = upstream.messages.find(({ from, to }) => from === '' && to[0] === NEWS);
    t.same(failed(bounce), ['tuesday17@there.example'], 'the bounce came through Postern');
    t.same(reached(upstream, 'receipt'), ['tuesday99@there.example'], 'a receipt is no marketing');
    t.equal(smarthost.messages.length, 2, 'nothing went round');
  });

  await t.test('Thursday: the upstream greylists, refuses some for good, and some for now', async t => {
    const seen = new Set<string>();
    moods.rcpt = ({ path }) => {
      if (path.startsWith('grey') && !seen.has(path)) {
        seen.add(path);
        return '450 4.2.0 Greylisted, try again';
      }
      if (path.startsWith('gone')) return '550 5.1.1 No such mailbox';
      return path.startsWith('full') ? '452 4.2.2 Mailbox full' : undefined;
    };
    await submit(postfix, NEWS, ['grey@there.example'], campaign('greylisted'));
    await submit(postfix, NEWS, ['gone@there.example', 'here1@there.example', 'here2@there.example'], campaign('partly'));
    await submit(postfix, NEWS, ['gone2@there.example'], campaign('gone'));
    await submit(postfix, NEWS, ['full@there.example', 'here3@there.example', 'here4@there.example'], campaign('full'));
    await until('all who can be reached', () => reached(upstream, 'greylisted').length + reached(upstream, 'full').length >= 3);
    await until(
      'only the full mailbox in the queue',
      async () => (await postfix.queue()).flatMap(({ recipients }) => recipients).length === 1,
    );
    t.same(reached(upstream, 'greylisted'), ['grey@there.example'], 'delivered once at the next try');
    t.same(reached(upstream, 'partly'), ['here1@there.example', 'here2@there.example']);
    t.same(reached(upstream, 'full'), ['here3@there.example', 'here4@there.example'], 'one full mailbox does not hold up the others');
    const report = upstream.messages.find(({ octets, from, to }) => from === '' && to[0] === NEWS && octets.includes('gone@there.example'));
    t.same(failed(report), ['gone@there.example'], "Postern's own bounce, sent before the message");
    const bounces = smarthost.messages.slice(2);
    t.same(bounces.map(failed), [['gone2@there.example']], 'and Postfix bounces who was alone');
  });

  await t.test('Friday: Postern is restarted', async t => {
    t.equal(await gate.running.stop(), 0);
    moods.rcpt = () => undefined;
    const five = people(5, 'friday');
    for (const [i, path] of five.entries()) await submit(postfix, NEWS, [path], campaign(`friday${i}`));
    await deferred(/Connection refused/);
    // The lists are open while the gate is shut.
    mustAnswer(await site.cli('suppress', 'acme', 'friday3@there.example'));
    gate.running = await site.serve();
    await postfix.flush();
    await drained();
    for (const [i, path] of five.entries()) t.same(reached(upstream, `friday${i}`), i === 3 ? [] : [path], path);
    t.same(
      reached(upstream, 'full'),
      ['full@there.example', 'here3@there.example', 'here4@there.example'],
      'and the mailbox is no longer full',
    );
    t.same(smarthost.messages.slice(3).map(failed), [['friday3@there.example']], 'who objected meanwhile is refused, nobody else bounces');
  });

  await t.test('Saturday: the store is down for a while', async t => {
    await week.redis.kill();
    const five = people(5, 'saturday');
    await submit(postfix, NEWS, five, campaign('saturday'));
    await deferred(/451 4\.3\.0/);
    t.same(reached(upstream, 'saturday'), [], 'nothing is sent unasked');
    await week.redis.restart();
    await until('the store answers', async () => (await site.cli('doctor')).code === 0);
    await postfix.flush();
    await drained();
    t.same(reached(upstream, 'saturday'), five, 'each once');
    t.equal(smarthost.messages.length, 4, 'nothing bounced');
  });

  await t.test('Sunday: the accounts', async t => {
    for (const { octets, to } of upstream.messages) t.ok(to.length > 0 && octets.length > 0);
    const twice = upstream.messages.flatMap(({ octets, to }) =>
      to.map(path => `${/^Message-ID: <(.*)>/im.exec(octets.toString('latin1'))?.[1]} ${path}`),
    );
    t.equal(new Set(twice).size, twice.length, 'nobody got anything twice');
    t.notOk(upstream.messages.some(holds('Cron')), 'no cron mail went through Postern');
    const log = gate.running.log();
    for (const path of ['friday', 'saturday', 'there.example', 'news@']) t.notOk(log.includes(path), `no address in the log: ${path}`);
  });
});
