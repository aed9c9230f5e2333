/** Campaign mail as platforms and mail programs shape it passes the gate untouched; its hostile twins do not: no false refusal, no false pass. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { splitMessage } from '../support/dkim.ts';
import { type Shape, TWISTS } from '../support/platform-parts.ts';
import { PLATFORM_SHAPES, RETURN_PATH_DOMAINS, TRACKING_HOSTS } from '../support/platforms.ts';
import { PROGRAM_SHAPES } from '../support/platforms-programs.ts';
import { type Sink, startSink } from '../support/sink.ts';
import { mustAnswer, newSite, type Site } from '../support/site.ts';
import { dial, type SmtpClient } from '../support/smtp-client.ts';

const SHAPES: readonly Shape[] = [...PLATFORM_SHAPES, ...PROGRAM_SHAPES];
const BOB = 'bob@there.example';
/** No List-Unsubscribe, and no word of opting out that a reader sees. */
const HEADER_ONLY = ['Gmail'];

interface Stage {
  readonly site: Site;
  readonly sink: Sink;
  readonly port: number;
  readonly passwords: Readonly<Record<string, string>>;
}

async function stage(t: Test): Promise<Stage> {
  const sink = await startSink();
  t.teardown(() => sink.close());
  const site = newSite({ submission: { listen: 'smtps://127.0.0.1:0' }, upstream: { url: sink.url('?starttls=off') } });
  t.teardown(() => site.close());
  await site.addAcme('--return-path-domain', ...RETURN_PATH_DOMAINS, '--tracking-host', ...TRACKING_HOSTS);
  const other = ['--name', 'Other', '--privacy-url', 'https://www.other.example/privacy', '--from-domain', 'other.example'];
  mustAnswer(await site.cli('client', 'add', 'other', ...other));
  const passwords: Record<string, string> = {};
  for (const policy of ['basic', 'b2b-prospecting']) {
    const added = mustAnswer(await site.cli('credential', 'add', 'acme', policy, '--policy', policy, '--json'));
    passwords[policy] = added.json<{ password: string }>().password;
  }
  const gate = await site.serve({ POSTERN_LOG_LEVEL: 'warn' });
  return { site, sink, port: gate.port, passwords };
}

async function login({ port, passwords }: Stage, user: string): Promise<SmtpClient> {
  const client = await dial(port, { tls: true });
  await client.reply();
  await client.ask('EHLO platform.example');
  await client.ask(`AUTH PLAIN ${Buffer.from(`\0${user}\0${passwords[user]}`).toString('base64')}`);
  return client;
}

/** The reply to the final dot, or the first refusal before it. */
async function send(client: SmtpClient, shape: Shape, octets: Buffer): Promise<string> {
  client.write(`MAIL FROM:<${shape.reversePath}> BODY=8BITMIME\r\nRCPT TO:<${BOB}>\r\nDATA\r\n`);
  const replies = [await client.reply(), await client.reply(), await client.reply()];
  const refusal = replies.find(({ code }) => code >= 400);
  if (refusal !== undefined) return refusal.text;
  client.write(Buffer.from(`${octets.toString('latin1').replace(/^\./gm, '..')}.\r\n`, 'latin1'));
  return (await client.reply()).text;
}

t.test('A13, A15, B3: what platforms and mail programs send', async t => {
  const all = await stage(t);
  const { site, sink, passwords } = all;

  for (const user of Object.keys(passwords)) {
    await t.test(`passes ${user}, and arrives as it was sent`, async t => {
      const client = await login(all, user);
      t.teardown(() => client.close());
      for (const shape of SHAPES) {
        const octets = shape.build('honest');
        const before = sink.messages.length;
        t.match(await send(client, shape, octets), /^250 /, shape.name);
        const arrived = sink.messages[before];
        t.same([arrived?.from, arrived?.to], [shape.reversePath, [BOB]], `${shape.name}: the envelope`);
        const added = splitMessage(arrived?.octets ?? Buffer.alloc(0)).fields[0] ?? '';
        t.equal(arrived?.octets.toString('latin1'), added + octets.toString('latin1'), `${shape.name}: one field on top of what was sent`);
      }
    });
  }

  await t.test('explain says the same, and why', async t => {
    // A process for each, so not for all: the policies, which have the same checks, take turns.
    const asked = [...PLATFORM_SHAPES.entries()].map(([i, shape]) => ({ shape, twist: TWISTS[i === 0 ? 2 : 0], policy: i % 2 }));
    const workers = Array.from({ length: 2 }, async () => {
      for (let next = asked.pop(); next !== undefined; next = asked.pop()) {
        const { shape, twist = 'honest', policy } = next;
        const file = join(site.dir, `${shape.name}.eml`);
        writeFileSync(file, shape.build(twist));
        const mail = ['--client', 'acme', '--policy', Object.keys(passwords)[policy] ?? '', '--from', shape.reversePath, '--to', BOB, file];
        const answer = mustAnswer(await site.cli('explain', ...mail, '--json')).json<{ verdict: string; objections: object[] }>();
        if (twist === 'honest') t.match(answer, { verdict: 'pass', objections: [] }, shape.name);
        else
          t.match(
            answer,
            { verdict: 'reject', objections: [{ check: 'privacy-link', reason: /nobody sees it/ }] },
            `${shape.name}: ${twist}`,
          );
      }
    });
    await Promise.all(workers);
  });

  await t.test('hostile twins are refused', async t => {
    const client = await login(all, 'basic');
    t.teardown(() => client.close());
    const before = sink.messages.length;
    for (const shape of SHAPES) {
      for (const twist of TWISTS.filter(name => name !== 'honest')) {
        t.match(await send(client, shape, shape.build(twist)), /^554 5\.6\.0 .*\(privacy-link\)/, `${shape.name}: ${twist}`);
      }
    }
    t.equal(sink.messages.length, before, 'none was relayed');
  });

  await t.test('without List-Unsubscribe, what the reader sees decides', async t => {
    const client = await login(all, 'basic');
    t.teardown(() => client.close());
    for (const shape of SHAPES) {
      const text = shape.build('honest').toString('latin1');
      const octets = Buffer.from(text.replace(/^List-Unsubscribe.*\r\n/gm, ''), 'latin1');
      const expected = HEADER_ONLY.includes(shape.name) ? /^554 5\.6\.0 .*\(opt-out\)/ : /^250 /;
      t.match(await send(client, shape, octets), expected, shape.name);
    }
  });
});
