/** A Postfix set up as docs/inbound.md says: what people answer in any mail program binds once Postfix has handed it over (A15–A17). */
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { openHouse } from '../../src/app.ts';
import type { LoggedReply } from '../../src/journal/reply.ts';
import { ACME } from '../support/acme.ts';
import { bring, deliveryReport, fieldOf, plainAnswer } from '../support/bringing.ts';
import { MAIL_PROGRAMS } from '../support/mail-programs.ts';
import { sendOne } from '../support/platform.ts';
import { freePort } from '../support/ports.ts';
import { type Postfix, postfixMissing, startPostfix } from '../support/postfix.ts';
import { guideCommands, guideConfig, readGuide } from '../support/postfix-guide.ts';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { type Sink, startSink } from '../support/sink.ts';
import { mustAnswer, newSite, type RunningGate, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const GUIDE = 'inbound.md';
/** What is killed here must not forget the mail that was just sent: that is another test's. */
const KEEPS = { args: ['--appendfsync', 'always'] };
const REFUSED = { stage: 'rcpt', reply: /^550 5\.7\.1 / } as const;
const skip = postfixMissing() || noRedis;

interface Office {
  readonly site: Site;
  readonly redis: TestRedis;
  /** Where Postern relays to, and where its copies go. */
  readonly upstream: Sink;
  /** Where Postfix puts everything that is for people. */
  readonly mailboxes: Sink;
  readonly gate: RunningGate;
  postfix(variant: string): Promise<Postfix>;
  log(): Promise<readonly LoggedReply[]>;
}

async function newOffice(t: Test): Promise<Office> {
  const [redis, upstream, mailboxes, port] = [await startRedis(t, KEEPS), await startSink(), await startSink(), await freePort()];
  const guide = parse(guideConfig(GUIDE)) as { inbound: { listen: string } };
  t.match(guide.inbound.listen, /:2526$/, 'the port that the transport table names');
  const inbound = { ...guide.inbound, listen: `127.0.0.1:${port}` };
  const site = newSite({ store: { url: redis.url }, inbound, upstream: { url: upstream.url('?starttls=off') } });
  t.teardown(async () => {
    await site.close();
    await Promise.all([upstream.close(), mailboxes.close()]);
  });
  for (const command of guideCommands(GUIDE)) mustAnswer(await site.cli(...command));
  mustAnswer(await site.cli('credential', 'add', 'acme', 'robot', '--ip', '127.0.0.1/32', '--no-password'));
  return {
    site,
    redis,
    upstream,
    mailboxes,
    gate: await site.serve(),
    async postfix(variant) {
      const here = { '[gate.example.com]:2526': `[127.0.0.1]:${port}`, ':/etc/postfix/': ':$config_directory/', '15m': '2s' };
      const { settings, files } = readGuide(here, variant, GUIDE);
      const relayhost = `[127.0.0.1]:${mailboxes.port}`;
      const postfix = await startPostfix({ myhostname: 'mail.acme.example', relayhost, ...settings }, files);
      t.teardown(() => postfix.stop());
      return postfix;
    },
    async log() {
      const house = await openHouse({ file: site.configFile, env: {} });
      const lines: LoggedReply[] = [];
      for await (const line of house.replies.list(ACME)) lines.unshift(line);
      await house.close();
      return lines;
    },
  };
}

/** Sends a campaign mail to somebody, and gives what reached them. */
async function mailed({ gate, upstream }: Office, to: string) {
  t.match(await sendOne(gate.port, to), { reply: /^250/ });
  const out = upstream.messages.find(message => message.to.includes(to));
  if (out === undefined) throw new Error('not relayed');
  const text = out.octets.toString();
  const replyTo = /[^<\s]+@acme\.example/.exec(fieldOf(out.octets, 'Reply-To'))?.[0] ?? '';
  return {
    ...out,
    id: fieldOf(out.octets, 'Message-ID'),
    replyTo,
    text: text.slice(text.indexOf('\r\n\r\n') + 4).replaceAll('\r\n', '\n'),
  };
}

/** Resolves once Postfix has handed the message to Postern, which answered so. */
async function handedOver({ gate }: Office, postfix: Postfix, id: string, answer: RegExp): Promise<void> {
  await until(`${id} ${answer}`, () => {
    const lines = postfix.log().split('\n');
    const queued = lines.flatMap(line => new RegExp(`: ([0-9A-Za-z]+): message-id=<${id}`).exec(line)?.[1] ?? []);
    return queued.some(queue =>
      lines.some(line => line.includes(`${queue}: to=`) && line.includes(`]:${gate.inboundPort},`) && answer.test(line)),
    );
  });
}

const TAKEN = /status=sent \(250 2\.0\.0 Taken\)/;

t.test('A15 A16 A17: the whole address: an answer in any mail program is enforced once Postfix has handed it over', { skip }, async t => {
  const office = await newOffice(t);
  const postfix = await office.postfix('whole');
  for (const [n, [program, answer]] of Object.entries(MAIL_PROGRAMS).entries()) {
    const who = `person${n}@there.example`;
    const out = await mailed(office, who);
    t.match(out.replyTo, /^news\+[a-z2-7]{36}@acme\.example$/);
    // What is quoted speaks of unsubscribing in every campaign mail: only what the person typed may count.
    const friendly = `friend${n}@there.example`;
    const friends = await mailed(office, friendly);
    const words = { text: 'Please take me off your list.', inReplyTo: out.id, original: out.text, id: `out${n}` };
    const kind = { text: 'Sounds good, call me on Monday.', inReplyTo: friends.id, original: friends.text, id: `kind${n}` };
    t.match(await bring(postfix.port, who, [out.replyTo], answer({ from: who, to: out.replyTo, ...words })), { last: /^250/ });
    await handedOver(office, postfix, words.id, TAKEN);
    t.match(await sendOne(office.gate.port, who), REFUSED, `${program}: refused at the next RCPT`);
    t.match(await bring(postfix.port, friendly, ['news@acme.example'], answer({ from: friendly, to: 'news@acme.example', ...kind })), {
      last: /^250/,
    });
    await handedOver(office, postfix, kind.id, TAKEN);
    t.match(await sendOne(office.gate.port, friendly), REFUSED, `${program}: "all replies" means all`);
  }
  const log = await office.log();
  t.same(
    log.map(({ kind, matchedBy }) => `${kind} by ${matchedBy}`),
    Object.keys(MAIL_PROGRAMS).flatMap(() => ['opt-out by token', 'reply by in-reply-to']),
    'A16: each is logged for what it is',
  );
  const took = log.map(({ receivedAt, enforcedAt }) => enforcedAt - receivedAt).sort((a, b) => a - b);
  t.comment(`A17: from receipt to enforced: median ${took[Math.floor(took.length / 2)]} ms, slowest ${took.at(-1)} ms of ${took.length}`);
  const copies = office.upstream.messages.filter(({ to }) => to.includes('jo@acme.example'));
  t.same([copies.length, new Set(copies.map(({ from }) => from))], [log.length, new Set([''])], 'each is in the mailbox, too');
  t.same(office.mailboxes.messages, [], 'and nothing went round');
});

t.test('an alias, a blind copy: the mailbox keeps its mail, Postern learns of it', { skip }, async t => {
  const office = await newOffice(t);
  mustAnswer(await office.site.cli('client', 'update', 'acme', '--no-forward-to', '--no-tag-reply-to'));
  for (const [variant, to] of [
    ['alias', 'news@acme.example'],
    ['bcc', 'jo@acme.example'],
  ] as const) {
    const postfix = await office.postfix(variant);
    const who = `${variant}@there.example`;
    const out = await mailed(office, who);
    const text = plainAnswer({ from: who, to, text: 'Stop emailing me.', inReplyTo: out.id, id: variant });
    t.match(await bring(postfix.port, who, [to], text), { last: /^250/ });
    await handedOver(office, postfix, variant, TAKEN);
    t.match(await sendOne(office.gate.port, who), REFUSED, variant);
    await until(`${variant}: the mailbox has it`, () =>
      office.mailboxes.messages.some(({ to: paths, octets }) => paths.includes('jo@acme.example') && octets.includes(`<${variant}@`)),
    );
  }
});

t.test('law 2: store down: Postfix keeps it and tries again; unknown addresses, and bounces', { skip }, async t => {
  const office = await newOffice(t);
  const { redis, gate } = office;
  const postfix = await office.postfix('none');
  const ann = await mailed(office, 'ann@there.example');
  const dan = await mailed(office, 'dan@there.example');

  await redis.kill();
  const text = plainAnswer({
    from: 'ann@there.example',
    to: 'acme@in.acme.example',
    text: 'Unsubscribe me.',
    inReplyTo: ann.id,
    id: 'outage',
  });
  t.match(await bring(postfix.port, 'ann@there.example', ['acme@in.acme.example'], text), { last: /^250/ }, 'Postfix has it');
  await handedOver(office, postfix, 'outage', /status=deferred \(.*451 4\.3\.0/);
  await redis.restart();
  await postfix.flush();
  await handedOver(office, postfix, 'outage', TAKEN);
  t.match(await sendOne(gate.port, 'ann@there.example'), REFUSED);
  t.equal((await office.log()).length, 1, 'A16: once');

  t.match(dan.from, /^bounce\+[a-z2-7]{36}@in\.acme\.example$/);
  t.match(await bring(postfix.port, '', [dan.from], deliveryReport(dan.from, 'dan@there.example', dan.octets)), { last: /^250/ });
  await handedOver(office, postfix, 'report-dan.there.example', TAKEN);
  t.match(await sendOne(gate.port, 'dan@there.example'), REFUSED, 'a mailbox that is not there');
  const passedOn = office.upstream.messages.filter(({ to }) => to.includes('sales@acme.example'));
  t.match(passedOn, [{ from: '' }], "passed on to the platform's reverse-path, once");

  const said = await bring(postfix.port, 'spy@elsewhere.example', ['x@in.acme.example', 'bounce@in.acme.example'], 'x');
  for (const reply of said.rcpts) t.match(reply, /^550 5\.1\.1 /, 'Postfix knows the addresses, so nobody gets a bounce for another');
  t.match(await bring(gate.inboundPort, 'spy@elsewhere.example', ['x@in.acme.example'], 'x'), {
    rcpts: [/^550 5\.1\.1 No such address here$/],
  });
});
