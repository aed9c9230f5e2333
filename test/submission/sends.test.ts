/** Sends on the mail path: remembered before the upstream has the dot or not relayed at all; what comes back names them. */
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Send } from '../../src/journal/sends.ts';
import { signDkim, verifyDkim } from '../support/dkim.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import type { SinkEvent } from '../support/sink.ts';
import { ACME, address, exclude, type Gatehouse, good, letter, newGatehouse, send } from './gatehouse.ts';

const CANNOT = /^451 4\.3\.0 Cannot decide now ref=\S{16}$/;
const TAGGED = /^bounce\+([a-z2-7]{36})@bounces\.acme\.example$/;
const FOOTER = 'how we use your data: https://www.acme.example/privacy';

async function sent(t: Test, g: Gatehouse, to: readonly string[], options: Parameters<typeof send>[2] = {}): ReturnType<typeof send> {
  const client = await g.hello();
  t.teardown(() => client.close());
  const result = await send(client, to, options);
  client.close();
  return result;
}

/** The send that a token names, if it is acme's. */
async function named({ house }: Gatehouse, token: string | undefined): Promise<Send | undefined> {
  const read = house.tokens.read(token ?? '');
  return read?.isOf(ACME) ? house.sends.find(ACME, read.send) : undefined;
}

/** Every line of the header section that is ours. */
function added(octets: Buffer): string {
  const text = octets.toString('latin1');
  return text.slice(0, text.indexOf('From: Acme'));
}

t.test("the token in MAIL names the message, all its recipients, its campaign and the platform's own reverse-path", async t => {
  const g = await newGatehouse(t);
  good(await g.house.clients.update('acme', { returnPath: 'bounces.acme.example' }));
  const two = ['Jo+x@example.net', 'al@example.net'];
  t.match(await sent(t, g, two, { from: 'vbounce+17@acme.example', message: letter('X-Campaign-ID: spring') }), { last: /^250/ });
  t.match(await sent(t, g, ['jo@example.net'], { message: letter('Message-ID: <2@acme.example>') }), { last: /^250/ });
  const tokens = g.sink.messages.map(({ from }) => TAGGED.exec(from)?.[1]);
  t.not(tokens[0], tokens[1]);
  const first = await named(g, tokens[0]);
  t.match(first, { client: ACME, campaign: 'spring', reversePath: 'vbounce+17@acme.example', messageId: '<spring-1@acme.example>' });
  t.same(
    first?.recipients.map(({ relayed }) => relayed),
    two,
  );
  t.equal(first?.sent(`> ${FOOTER}`), true);
  t.match(await named(g, tokens[1]?.toUpperCase()), { campaign: undefined, messageId: '<2@acme.example>' });
  const newest = await g.house.sends.to([ACME], address('JO@example.net'));
  t.same(
    newest.map(({ messageId }) => messageId),
    ['<2@acme.example>', '<spring-1@acme.example>'],
  );
  t.same(
    (await g.house.sends.byMessageId([ACME], ['<spring-1@acme.example>'])).map(({ id }) => id),
    [first?.id],
  );
});

t.test('by default the reverse-path stays, the null one always, and all is remembered', async t => {
  const g = await newGatehouse(t);
  t.match(await sent(t, g, ['jo@example.net'], { from: 'b@acme.example' }), { last: /^250/ });
  good(await g.house.clients.update('acme', { returnPath: 'bounces.acme.example' }));
  t.match(await sent(t, g, ['jo@example.net'], { from: '' }), { last: /^250/ });
  t.same(
    g.sink.messages.map(({ from }) => from),
    ['b@acme.example', ''],
  );
  t.match(added(g.sink.messages[0]?.octets ?? Buffer.alloc(0)), /^Received: .*\r\n\t.*\r\n\t.*\r\n$/, 'law 3: nothing else is added');
  t.same(
    (await g.house.sends.to([ACME], address('jo@example.net'))).map(({ reversePath }) => reversePath),
    ['', 'b@acme.example'],
  );
});

t.test("checks see the platform's own reverse-path", async t => {
  const g = await newGatehouse(t);
  good(await g.house.clients.update('acme', { returnPath: 'acme.example' }));
  t.match(await sent(t, g, ['jo@example.net'], { from: 'x@foreign.example' }), { last: /^55\d / });
  t.equal(g.sink.transactions.length, 0);
});

t.test('it is durable before the upstream has an octet of the message', async t => {
  let second: Gatehouse['house'] | undefined;
  const seen: Record<string, number> = {};
  const script = async ({ stage }: SinkEvent): Promise<undefined> => {
    if (stage === 'data') seen[stage] = (await second?.sends.to([ACME], address('jo@example.net')))?.length ?? -1;
  };
  const g = await newGatehouse(t, { sink: { script } });
  second = await g.second();
  t.match(await sent(t, g, ['jo@example.net']), { last: /^250/ });
  t.same(seen, { data: 1 });
});

t.test("refused recipients are reported to the platform's own reverse-path, not to ours", async t => {
  const script = ({ stage, path }: SinkEvent) => (stage === 'rcpt' && path.startsWith('gone') ? '550 5.1.1 no' : undefined);
  const g = await newGatehouse(t, { sink: { script } });
  good(await g.house.clients.update('acme', { returnPath: 'bounces.acme.example' }));
  t.match(await sent(t, g, ['jo@example.net', 'gone@example.net'], { from: 'b+7@acme.example' }), { last: /^250/ });
  t.same(
    g.sink.messages.map(({ from, to }) => [from.replace(/\+.*@/, '+…@'), to]),
    [
      ['bounce+…@bounces.acme.example', ['jo@example.net']],
      ['', ['b+7@acme.example']],
    ],
  );
});

t.test(
  'law 1: a message that cannot be remembered is not relayed; nobody is told anything, and the retry passes',
  { skip: noRedis },
  async t => {
    const script = ({ stage, path }: SinkEvent) => (stage === 'rcpt' && path.startsWith('gone') ? '550 5.1.1 no' : undefined);
    const redis = await startRedis(t);
    const g = await newGatehouse(t, { settings: { store: { url: redis.url } }, sink: { script } });
    const second = await g.second();
    const all = ['jo@example.net', 'al@example.net', 'gone@example.net', 'listed@example.net'];
    const beforeDot = () => redis.takeWrites(false);

    const one = await sent(t, g, ['jo@example.net'], { beforeDot });
    t.match(one.last, CANNOT);
    await redis.takeWrites(true);
    const several = await sent(t, g, all, {
      beforeDot: async () => {
        await exclude(second, 'acme', 'listed@example.net');
        await beforeDot();
      },
    });
    t.match(several.last, CANNOT);
    const onlyRefused = await sent(t, g, ['gone-too@example.net'], { beforeDot });
    t.equal(onlyRefused.last, '550 5.1.1 no', 'whom the upstream refused, it refused');
    t.equal(g.sink.messages.length, 0, 'not even a DSN');
    t.ok(
      g.sink.transactions.every(({ complete }) => !complete),
      'no octet of a message',
    );
    t.notOk(g.sink.sessions.some(({ commands }) => commands.includes('DATA')));

    await redis.takeWrites(true);
    for (const { last } of [one, several]) {
      t.match(await g.decision(last), { stage: 'data', outcome: 'deferred', check: 'gate', token: 'unavailable', pseudonym: undefined });
    }
    t.same(await g.counts(), {
      'deferred gate unavailable': 3,
      'deferred exclusion excluded': 1,
      'deferred upstream upstream': 1,
      'rejected upstream upstream': 1,
    });
    t.match(await sent(t, g, ['jo@example.net']), { last: /^250/ });
    t.equal((await g.house.sends.to([ACME], address('jo@example.net'))).length, 1);
  },
);

t.test("law 1: nor one whose client's key cannot be read", async t => {
  const g = await newGatehouse(t);
  const file = join(g.dir, 'keys/clients', readdirSync(join(g.dir, 'keys/clients')).find(name => name.startsWith('acme')) ?? '');
  const key = readFileSync(file);
  const { last } = await sent(t, g, ['jo@example.net'], {
    beforeDot: async () => {
      writeFileSync(file, Buffer.alloc(key.length, 7));
      // Beyond the few seconds for which the vault remembers.
      g.later(1);
    },
  });
  t.match(last, CANNOT);
  t.equal(g.sink.messages.length, 0);
  writeFileSync(file, key);
  t.match(await g.decision(last), { check: 'gate', token: 'unavailable', outcome: 'deferred' });
});

t.test('Reply-To: a token where the platform set none; signatures hold, and the octets below are those sent', async t => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const g = await newGatehouse(t);
  good(await g.house.clients.update('acme', { replyAddresses: ['ann@acme.example'], tagReplyTo: true }));
  const signed = (fields: readonly string[]) =>
    signDkim(Buffer.from(letter()), { privateKey, header: 'relaxed', body: 'relaxed', fields }).toString('latin1');
  const messages = [
    [letter(), true],
    [letter('Reply-To: desk@acme.example'), false],
    [signed(['From', 'Subject', 'To']), true],
    [signed(['From', 'From', 'Subject', 'Subject', 'Reply-To']), false],
  ] as const;
  for (const [message, tagged] of messages) {
    t.match(await sent(t, g, ['jo@example.net'], { message }), { last: /^250/ });
    const octets = g.sink.messages.at(-1)?.octets ?? Buffer.alloc(0);
    const above = octets.subarray(0, octets.length - message.length).toString();
    t.equal(octets.subarray(octets.length - message.length).toString('latin1'), message, 'law 3');
    const [, token] = /^Received: [^\r]*\r\n\t[^\r]*\r\n\t[^\r]*\r\nReply-To: ann\+([a-z2-7]{36})@acme\.example\r\n$/.exec(above) ?? [];
    t.equal(token !== undefined, tagged, above);
    if (tagged) t.match(await named(g, token), { messageId: '<spring-1@acme.example>' });
    if (message.startsWith('DKIM')) t.equal(verifyDkim(octets, publicKey), 'pass');
  }
});

t.test('SMTPUTF8 is as necessary upstream as it was', async t => {
  const g = await newGatehouse(t, { sink: { extensions: ['PIPELINING', '8BITMIME'] } });
  good(
    await g.house.clients.update('acme', { returnPath: 'bounces.acme.example', replyAddresses: ['ann@acme.example'], tagReplyTo: true }),
  );
  t.match(await sent(t, g, ['jo@example.net']), { last: /^250/ });
  const client = await g.hello();
  t.teardown(() => client.close());
  await client.ask('MAIL FROM:<jürgen@acme.example> SMTPUTF8');
  await client.ask('RCPT TO:<jo@example.net>');
  await client.ask('DATA');
  client.write(`${letter()}.\r\n`);
  t.match((await client.reply()).text, /^553 5\.6\.7 /);
});
