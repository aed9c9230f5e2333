/** A29, law 7: whatever Postern does, neither store, keys, ledger nor log tells in clear whom it was about. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { type Acme, acmeSite } from '../support/acme.ts';
import { campaignMail, greeted, sendOne } from '../support/platform.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import type { SinkEvent } from '../support/sink.ts';
import type { Answer, RunningGate } from '../support/site.ts';

/** Names that stand nowhere by chance. */
const PEOPLE = {
  excluded: 'quentin.zebrowski@zanzibarwidgets.example',
  inCampaign: 'philippa.wexcombe@gooseberrytools.example',
  suppressed: 'ottoline.frobisher@marmaladeworks.example',
  lifted: 'peregrine.vandersloot@thistlegears.example',
  imported: 'wilhelmina.okonkwo@quartzfoundry.example',
  hashed: 'bartholomew.grimsby@juniperpumps.example',
  ofDomain: 'evangeline.thackeray@kumquatlogistics.example',
  relayed: 'clementine.abernathy@pomegranateparts.example',
  unknownUpstream: 'thaddeus.ravenscroft@buttercupvalves.example',
  busyUpstream: 'henrietta.blenkinsop@larkspurmotors.example',
  lostUpstream: 'cornelius.whitbread@saffronlevers.example',
  personal: 'millicent.hathersage@gmail.com',
  stranger: 'archibald.pettigrew@nasturtiumcogs.example',
} as const;

/** Every word of theirs, and the bare hash that was imported. */
const WORDS = [
  ...new Set(Object.values(PEOPLE).flatMap(address => address.split(/[@.]/).filter(word => !['example', 'gmail', 'com'].includes(word)))),
];
const HASHED = createHash('sha1').update(PEOPLE.hashed).digest();
const SPELLINGS = [...WORDS.flatMap(word => spellings(Buffer.from(word))), HASHED, ...spellings(HASHED)].map(octets =>
  octets.toString('latin1'),
);

/** As it is, in hexadecimal, in base64 at each of the three offsets, and in UTF-16. */
function spellings(octets: Buffer): Buffer[] {
  const inBase64 = [0, 1, 2].map(offset => {
    const text = Buffer.concat([Buffer.alloc(offset), octets, Buffer.alloc(2)]).toString('base64');
    // Only the characters that the octets alone decide.
    return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + octets.length) * 8) / 6));
  });
  const texts = [
    octets.toString('latin1'),
    octets.toString('hex'),
    ...inBase64,
    ...inBase64.map(text => text.replaceAll('+', '-').replaceAll('/', '_')),
  ];
  return [...texts.map(text => Buffer.from(text, 'latin1')), Buffer.from(octets.toString('latin1'), 'utf16le')];
}

function found(octets: Buffer): readonly string[] {
  const text = octets.toString('latin1');
  const lower = text.toLowerCase();
  return SPELLINGS.filter(spelling => text.includes(spelling) || lower.includes(spelling));
}

function filesUnder(folder: string): readonly (readonly [name: string, octets: Buffer])[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(name => statSync(name).isFile())
    .map(name => [name, readFileSync(name)]);
}

/** Every key of a Redis with its whole value. */
async function dump(url: string): Promise<Buffer> {
  const redis = new Redis(url, { protocol: 2 });
  const pieces: Buffer[] = [];
  for (let cursor = '0'; ; ) {
    const [next, keys] = await redis.scan(cursor, 'COUNT', 1_000);
    for (const key of keys) {
      pieces.push(Buffer.from(`\n${key}\n`));
      const type = await redis.type(key);
      if (type === 'hash') pieces.push(...(await redis.hkeysBuffer(key)), ...(await redis.hvalsBuffer(key)));
      else if (type === 'zset') pieces.push(...(await redis.zrangeBuffer(key, '0', '-1')));
      else if (type === 'string') pieces.push((await redis.getBuffer(key)) ?? Buffer.alloc(0));
      else throw new Error(`a ${type}: not read by this test`);
    }
    cursor = next;
    if (cursor === '0') break;
  }
  redis.disconnect();
  return Buffer.concat(pieces);
}

/** An upstream that repeats addresses in its refusals, as most do, and drops one connection after the dot. */
function upstream({ stage, path, transaction }: SinkEvent) {
  if (stage === 'rcpt' && path === PEOPLE.unknownUpstream) return `550 5.1.1 <${path}>: Recipient address rejected: User unknown`;
  if (stage === 'rcpt' && path === PEOPLE.busyUpstream) return `450 4.2.1 <${path}>: mailbox busy`;
  if (stage === 'dot' && transaction?.to.includes(PEOPLE.lostUpstream)) return { end: 'reset' } as const;
  return undefined;
}

/** Everything that can happen to a person, by the real command line and the real gate. Gives what was logged. */
async function everything(t: Test, { site }: Acme): Promise<readonly string[]> {
  const logged: string[] = [];
  const files = mkdtempSync(join(tmpdir(), 'postern-lists-'));
  t.teardown(() => rmSync(files, { recursive: true }));
  const run = async (...args: readonly string[]): Promise<Answer> => {
    const answer = await site.cli(...args);
    logged.push(answer.stderr);
    if (answer.code !== 0) throw new Error(`${args.slice(0, 2).join(' ')}: ${answer.stderr}`);
    return answer;
  };
  writeFileSync(join(files, 'list.csv'), `email,reason\r\n${PEOPLE.imported},unsubscribed\r\nnonsense ${PEOPLE.stranger},x\r\n`);
  writeFileSync(join(files, 'hashes.txt'), `${HASHED.toString('hex')}\n`);
  await run('campaign', 'add', 'acme', 'spring');
  await Promise.all([
    run('list', 'add', 'acme', PEOPLE.excluded),
    run('list', 'add', 'acme/spring', PEOPLE.inCampaign),
    run('list', 'add', 'global', PEOPLE.ofDomain.split('@')[1] ?? ''),
    run('suppress', 'acme', PEOPLE.suppressed, '--reason', 'erasure'),
    run('suppress', 'acme', PEOPLE.lifted),
    run('list', 'import', 'acme', join(files, 'list.csv')),
    run('list', 'import', 'global', join(files, 'hashes.txt'), '--hash', 'sha1'),
  ]);

  const gate = await site.serve();
  await run('suppress', '--lift', '--by', 'Ann Example', '--why', 'asked for it', 'acme', PEOPLE.lifted);
  const ref = await mail(t, gate);
  t.match((await run('decision', 'show', ref)).stdout, new RegExp(PEOPLE.excluded), 'what was decided is kept, and opens with the keys');
  t.match((await run('list', 'show', 'acme', '--json')).stdout, new RegExp(PEOPLE.excluded));
  t.equal(await gate.stop(), 0);
  return [...logged, gate.log()];
}

/** The ref of the decision about PEOPLE.excluded. */
async function mail(t: Test, { port }: RunningGate): Promise<string> {
  const refused = await sendOne(port, PEOPLE.excluded);
  for (const who of ['inCampaign', 'suppressed', 'imported', 'hashed', 'ofDomain', 'personal'] as const) {
    t.match(await sendOne(port, PEOPLE[who]), { reply: /^550 5\.7\.1 / }, who);
  }
  for (const who of ['lifted', 'relayed'] as const) t.match(await sendOne(port, PEOPLE[who]), { reply: /^250 / }, who);
  t.match(await sendOne(port, PEOPLE.unknownUpstream), { reply: /^550 5\.1\.1 / });
  for (const who of ['busyUpstream', 'lostUpstream'] as const) t.match(await sendOne(port, PEOPLE[who]), { reply: /^45/ }, who);

  const client = await greeted(port);
  // Two at once: refused by the upstream beside one that is taken, told by a DSN.
  for (const line of ['MAIL FROM:<sales@acme.example>', `RCPT TO:<${PEOPLE.relayed}>`, `RCPT TO:<${PEOPLE.unknownUpstream}>`, 'DATA']) {
    t.match(await client.ask(line), /^[23]/);
  }
  client.write(`${campaignMail('both', PEOPLE.relayed)}.\r\n`);
  t.match((await client.reply()).text, /^250/);
  await client.ask(`MAIL FROM:<${PEOPLE.stranger}>`);
  t.match(await client.ask(`RCPT TO:<${PEOPLE.stranger}`), /^501/, 'no address at all');
  t.match(await client.ask(`RCPT TO:<@hop.example,${PEOPLE.stranger}>`), /^501/);
  t.match(await client.ask(`VRFY ${PEOPLE.stranger}`), /^252/);
  await client.starttls();
  await client.ask(`EHLO ${PEOPLE.stranger.split('@')[1]}`);
  t.match(await client.ask(`AUTH PLAIN ${Buffer.from(`\0${PEOPLE.stranger}\0wrong`).toString('base64')}`), /^535/);
  client.close();
  return /ref=(\S+)/.exec(refused.reply)?.[1] ?? '';
}

t.test('the search finds what it looks for', async t => {
  const word = Buffer.from(WORDS[0] ?? '');
  const wrapped = (before: string) => Buffer.from(Buffer.from(`${before}${word}@there`).toString('base64'));
  const planted = [
    word,
    Buffer.from(`<${word.toString().toUpperCase()}>`),
    wrapped(''),
    wrapped('a'),
    wrapped('ab'),
    Buffer.from(word.toString('hex')),
    HASHED,
  ];
  for (const octets of planted) t.not(found(octets).length, 0, octets.toString('latin1'));
  t.same(found(Buffer.from('nobody')), []);
});

t.test('A29, law 7: LMDB, keys, ledger and log', async t => {
  const all = await acmeSite(t, { log: { level: 'trace' } }, { script: upstream });
  const logged = await everything(t, all);
  const files = filesUnder(all.site.dir).filter(([name]) => name !== all.site.configFile);
  for (const part of ['data/data.mdb', 'keys/postern.key', 'keys/clients/acme.key', 'ledger/objections.log']) {
    t.ok(
      files.some(([name, octets]) => name.endsWith(part) && octets.length > 0),
      `${part} was looked at`,
    );
  }
  t.ok(
    files.some(([name, octets]) => name.endsWith('data.mdb') && octets.includes('acme')),
    'and holds what belongs to acme',
  );
  for (const [name, octets] of files) t.same(found(octets), [], name);
  t.match(logged.at(-1), /"token":"excluded"/, 'the log tells what was decided');
  for (const text of logged) t.same(found(Buffer.from(text)), []);
});

t.test('A29, law 7: Redis: every key with its value, its files, a ledger and a vault in it', { skip: noRedis }, async t => {
  const [redis, ledger, vault] = [await startRedis(t), await startRedis(t), await startRedis(t)];
  const settings = { store: { url: redis.url }, ledger: { url: ledger.url }, keys: { vault: vault.url }, log: { level: 'trace' } };
  const all = await acmeSite(t, settings, { script: upstream });
  const logged = await everything(t, all);
  const store = await dump(redis.url);
  t.ok(store.includes('postern:{acme}:'), 'the dump holds what belongs to acme');
  t.same(found(store), []);
  for (const { folder } of [redis, ledger, vault]) {
    const files = filesUnder(folder);
    t.ok(
      files.some(([, octets]) => octets.includes('postern:{')),
      'the AOF was looked at',
    );
    for (const [name, octets] of files) t.same(found(octets), [], name);
  }
  for (const text of logged) t.same(found(Buffer.from(text)), []);
});
