/**
 * Several recipients in one transaction, every mix of fates, whatever the upstream does: nobody lost, nobody twice, no 250 that hides
 * a refusal (DESIGN §4), and the counters and decisions say what the sender was told. The sender here retries as real ones do.
 */
import t, { type Test } from 'tap';
import { timePrefix } from '../../src/journal/ref.ts';
import { ACME, exclude, type Gatehouse, newGatehouse, send } from '../submission/gatehouse.ts';
import type { SinkEvent, SinkOptions } from '../support/sink.ts';

/** `rcpt`: refused here at RCPT; `dot`: listed while the message was on its way; `up5`, `up4`: refused or deferred by the upstream at RCPT. */
const FATES = ['pass', 'rcpt', 'dot', 'up5', 'up4'] as const;
type Fate = (typeof FATES)[number];

/** What the upstream does beyond that, to the message or to the DSN. */
const WEATHERS = [
  ...['fine', 'mail5', 'mail4', 'data5', 'data4', 'dot5', 'dot4', 'lost-data', 'lost-dot'],
  ...['dsn-mail5', 'dsn-rcpt4', 'dsn-data5', 'dsn-dot5', 'dsn-lost-mail', 'dsn-lost-dot'],
] as const;
type Weather = (typeof WEATHERS)[number];

const OK = 'fine';
const HELD = /^451 4\.3\.0 Not every recipient could be settled, try again ref=\S{16}$/;

interface World {
  weather: Weather;
  /** True: the upstream takes those whom it deferred before. */
  recovered: boolean;
}

function upstream(world: World): SinkOptions['script'] {
  return ({ stage, path, transaction }: SinkEvent) => {
    const { weather } = world;
    const dsn = (stage === 'mail' ? path : transaction?.from) === '';
    if (stage === 'rcpt' && path.startsWith('up5')) return '550 5.1.1 nobody here by that name';
    if (stage === 'rcpt' && path.startsWith('up4') && !world.recovered) return '452 4.2.2 mailbox full';
    if (dsn !== weather.startsWith('dsn-')) return undefined;
    const word = weather.replace('dsn-', '');
    if (word === `lost-${stage}`) return { end: 'reset' };
    if (word === `${stage}5`) return `554 5.3.0 not this one (${word})`;
    if (word === `${stage}4`) return `450 4.3.0 not now (${word})`;
    return undefined;
  };
}

/** What must come of a first attempt. */
interface Outlook {
  readonly reply: RegExp;
  readonly delivered: boolean;
  readonly dsn: boolean;
}

/** DESIGN §4 in as few words as there are rules. */
function outlook(mix: readonly Fate[], weather: Weather): Outlook {
  const taken = mix.filter(fate => fate !== 'rcpt');
  const relayed = taken.filter(fate => fate !== 'dot');
  const alone = taken.length === 1;
  const nothing = { delivered: false, dsn: false };
  if (taken.length === 0) return { reply: /^554 5\.5\.1 No valid recipients$/, ...nothing };
  if (relayed.length === 0) return { reply: /^550 5\.7\.1 Recipient may not be mailed \(excluded\) ref=\S{16}$/, ...nothing };
  if (weather === 'mail5') return { reply: /^554 5\.3\.0 not this one \(mail5\)$/, ...nothing };
  if (weather === 'mail4') return { reply: /^450 4\.3\.0 not now \(mail4\)$/, ...nothing };
  if (!relayed.includes('pass')) {
    if (alone && relayed[0] === 'up4') return { reply: /^452 4\.2\.2 mailbox full$/, ...nothing };
    return { reply: relayed.includes('up4') ? HELD : /^550 5\.1\.1 nobody here by that name$/, ...nothing };
  }
  if (relayed.includes('up4')) return { reply: HELD, ...nothing };
  const dsn = taken.some(fate => fate !== 'pass');
  if (dsn && weather.startsWith('dsn-')) return { reply: HELD, ...nothing };
  const ends: Partial<Record<Weather, RegExp>> = {
    data5: /^554 5\.3\.0 not this one \(data5\)$/,
    data4: /^450 4\.3\.0 not now \(data4\)$/,
    dot5: /^554 5\.3\.0 not this one \(dot5\)$/,
    dot4: /^450 4\.3\.0 not now \(dot4\)$/,
    'lost-data': /^451 4\.3\.0 Upstream gives no answer, try again ref=\S{16}$/,
    'lost-dot': /^451 4\.3\.0 Upstream was lost after the final dot ref=\S{16}$/,
  };
  const end = ends[weather];
  return { reply: end ?? /^250 2\.0\.0 Taken$/, delivered: end === undefined, dsn };
}

/** One, two or three recipients, of different fates or two of the same. */
function mixes(): readonly (readonly Fate[])[] {
  const all: Fate[][] = [];
  for (const [i, a] of FATES.entries()) {
    all.push([a]);
    for (const [j, b] of FATES.slice(i).entries()) {
      all.push([a, b]);
      for (const c of FATES.slice(i + j + 1)) if (a !== b) all.push([a, b, c]);
    }
  }
  return all;
}

/** What a sender's queue knows of one message. */
interface Queued {
  readonly fates: ReadonlyMap<string, Fate>;
  /** Whom it still has to bring the message to. */
  readonly open: Set<string>;
  readonly bounced: Set<string>;
}

interface Told {
  readonly last: string;
  readonly rejected: number;
  readonly deferred: number;
}

/** One attempt for everybody still open; sorts them by what the gate says, as RFC 5321 §4.2.1 has a sender do. */
async function attempt(g: Gatehouse, queued: Queued, beforeDot?: () => Promise<void>): Promise<Told> {
  const client = await g.hello();
  const to = [...queued.open];
  const { rcpts, last } = await send(client, to, beforeDot === undefined ? {} : { beforeDot });
  client.close();
  const words = to.map((who, i) => ({ who, said: rcpts[i]?.startsWith('250') ? last : (rcpts[i] ?? last) }));
  for (const { who, said } of words) {
    if (said.startsWith('2')) queued.open.delete(who);
    if (!said.startsWith('5')) continue;
    queued.open.delete(who);
    queued.bounced.add(who);
  }
  const count = (code: string) => words.filter(({ said }) => said.startsWith(code)).length;
  return { last, rejected: count('5'), deferred: count('4') };
}

/** Who got the message, and who was named in a DSN, since `from` (an index of the sink's messages). */
function arrived({ sink }: Gatehouse, from: number): { readonly got: readonly string[]; readonly named: readonly string[] } {
  const fresh = sink.messages.slice(from);
  return {
    got: fresh.filter(one => one.from !== '').flatMap(one => one.to),
    named: fresh
      .filter(one => one.from === '')
      .flatMap(one => [...one.octets.toString().matchAll(/^Final-Recipient: rfc822; (\S+)\r$/gm)].map(([, who = '']) => who)),
  };
}

/** Counts by outcome; and how many decisions there are since `at`, by outcome. */
async function books(g: Gatehouse, at: number): Promise<{ counted: Record<string, number>; decided: Record<string, number> }> {
  const counted: Record<string, number> = {};
  for (const [label, count] of Object.entries(await g.counts())) {
    const outcome = label === 'deferred gate held' ? 'held' : (label.split(' ')[0] ?? '');
    counted[outcome] = (counted[outcome] ?? 0) + count;
  }
  const decided: Record<string, number> = {};
  for await (const [{ id }] of g.house.store.scan({ owner: ACME, log: 'decisions', from: timePrefix(at) })) {
    const decision = await g.house.decisions.show(id as never, [ACME]);
    if (decision !== undefined) decided[decision.outcome] = (decided[decision.outcome] ?? 0) + 1;
  }
  return { counted, decided };
}

function difference(after: Record<string, number>, before: Record<string, number>): Record<string, number> {
  const entries = Object.keys(after).map(name => [name, (after[name] ?? 0) - (before[name] ?? 0)] as const);
  return Object.fromEntries(entries.filter(([, count]) => count !== 0));
}

const some = (counts: Record<string, number>) => Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));

async function playMix(t: Test, g: Gatehouse, world: World, mix: readonly Fate[], row: number): Promise<readonly Queued[]> {
  const { weather } = world;
  const name = `${mix.join(' + ')}, ${weather}`;
  const fates = new Map(mix.map((fate, i) => [`${fate}-${row}-${i}@example.net`, fate]));
  const listed = (fate: Fate) => [...fates].filter(([, own]) => own === fate).map(([who]) => who);
  for (const who of listed('rcpt')) await exclude(g.house, 'acme', who);
  const other = await elsewhere(g);
  const queued: Queued = { fates, open: new Set(fates.keys()), bounced: new Set() };
  const hopes = outlook(mix, weather);
  const at = g.house.clock.now();
  const before = { sink: g.sink.messages.length, books: await books(g, at) };
  const told = await attempt(g, queued, async () => {
    for (const who of listed('dot')) await exclude(other, 'acme', who);
  });

  t.match(told.last, hopes.reply, `${name}: the reply`);
  const { got, named } = arrived(g, before.sink);
  const refused = [...listed('dot'), ...listed('up5')];
  t.same(got, hopes.delivered ? listed('pass') : [], `${name}: who gets it`);
  t.same(named.toSorted(), hopes.dsn ? refused.toSorted() : [], `${name}: who is named in the DSN`);

  const after = await books(g, at);
  // A DSN tells of somebody, whatever the reply says of the others.
  const dsnTold = told.last.startsWith('5') ? 0 : named.length;
  const unknown = weather === 'lost-dot' && /lost after the final dot/.test(told.last) ? listed('pass').length : 0;
  const { held = 0, ...counted } = difference(after.counted, before.books.counted);
  const deferred = told.deferred - (told.last.startsWith('4') ? dsnTold : 0) - unknown;
  const expected = { relayed: got.length, rejected: told.rejected + dsnTold, deferred: deferred - held, unknown };
  t.same(counted, some(expected), `${name}: counted as told`);
  const { relayed: _, ...decisions } = expected;
  t.same(difference(after.decided, before.books.decided), some(decisions), `${name}: a decision for each`);
  t.ok(held === 0 || listed('pass').length === held, `${name}: only those wait without a decision who had nothing against them`);

  // The weather clears; the sender tries again, at once and once more.
  world.weather = OK;
  for (let again = 0; again < 2 && queued.open.size > 0; again++) await attempt(g, queued);
  t.same(
    [...queued.open].toSorted(),
    listed('up4')
      .filter(who => !queued.bounced.has(who))
      .toSorted(),
    `${name}: the retry carries the rest`,
  );
  const all = arrived(g, before.sink);
  const bouncedPass = listed('pass').filter(who => queued.bounced.has(who));
  t.same(
    all.got.toSorted(),
    listed('pass')
      .filter(who => !bouncedPass.includes(who))
      .toSorted(),
    `${name}: each once, nobody lost`,
  );
  t.ok(bouncedPass.length === 0 || hopes.reply.source.startsWith('^5'), `${name}: nobody bounces whom nobody refused`);
  const toldAll = new Set([...queued.bounced, ...all.named]);
  t.same(
    [...listed('rcpt'), ...refused].filter(who => !toldAll.has(who)),
    [],
    `${name}: everybody who was refused was told of`,
  );
  return [queued];
}

const seconds = new WeakMap<Gatehouse, Awaited<ReturnType<Gatehouse['second']>>>();

/** Another process's house, opened once. */
async function elsewhere(g: Gatehouse): Promise<Gatehouse['house']> {
  const known = seconds.get(g) ?? (await g.second());
  seconds.set(g, known);
  return known;
}

t.test('A17, A19: every mix of recipients and upstream weather', async t => {
  const world: World = { weather: OK, recovered: false };
  const script = upstream(world);
  const g = await newGatehouse(t, { sink: script === undefined ? {} : { script } });
  const waiting: Queued[] = [];
  let row = 0;
  for (const weather of WEATHERS) {
    await t.test(weather, async t => {
      for (const mix of mixes()) {
        world.weather = weather;
        waiting.push(...(await playMix(t, g, world, mix, row++)));
      }
    });
  }
  await t.test('those who were deferred get it once the upstream takes them', async t => {
    world.recovered = true;
    g.later(30);
    const start = g.sink.messages.length;
    const late = waiting.filter(({ open }) => open.size > 0);
    t.ok(late.length > 0);
    const expected = late.flatMap(({ open }) => [...open]);
    for (const queued of late) await attempt(g, queued);
    t.same(arrived(g, start).got.toSorted(), expected.toSorted());
    t.same(
      late.flatMap(({ open }) => [...open]),
      [],
    );
  });
});
