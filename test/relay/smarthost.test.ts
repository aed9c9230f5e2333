/** Kept connections: how many, how long, for how much, and what a server that gives one up may not do to the mail. */
import t from 'tap';
import type { RcptAnswers } from '../../src/relay/upstream.ts';
import { startSink } from '../support/sink.ts';
import { envelope, lossOf, MESSAGE, smarthost, until } from './relaying.ts';

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

t.test('fifty at once over five connections, none lost, none twice', async t => {
  const sink = await startSink({ script: ({ stage }) => (stage === 'dot' ? pause(2).then(() => undefined) : undefined) });
  const upstream = smarthost(sink.url(), { connections: 5 });
  const to = Array.from({ length: 50 }, (_, i) => `a${i}@x.example`);
  const results = await Promise.all(to.map(path => upstream.relay(envelope([path]), [MESSAGE])));
  t.ok(results.every(({ stage, reply }) => stage === 'done' && reply.code === 250));
  t.same(sink.messages.map(message => message.to[0]).sort(), [...to].sort());
  t.equal(sink.sessions.length, 5);
  for (const path of to) await upstream.relay(envelope([path]), [MESSAGE]);
  t.equal(sink.sessions.length, 5, 'kept for the next ones');
  await upstream.close();
  t.ok(await until(() => sink.open === 0));
  t.ok(
    sink.sessions.every(({ commands }) => commands.at(-1) === 'QUIT'),
    'each was told goodbye',
  );
  await sink.close();
});

t.test('the connection used last is used next, and the others grow old', async t => {
  const sink = await startSink();
  const upstream = smarthost(sink.url(), { timeouts: { idle: 1000 } });
  await Promise.all([1, 2, 3].map(i => upstream.relay(envelope([`a${i}@x.example`]), [MESSAGE])));
  t.equal(sink.sessions.length, 3);
  const last = sink.messages.at(-1)?.session;
  for (let i = 0; i < 6; i++) {
    await upstream.relay(envelope(['b@x.example']), [MESSAGE]);
    t.equal(sink.messages.at(-1)?.session, last);
    await pause(50);
  }
  t.ok(await until(() => sink.open === 1), 'the other two are gone');
  t.ok(await until(() => sink.open === 0), 'and at last this one');
  await upstream.close();
  await sink.close();
});

t.test('a machine that slept does not trust its connections', async t => {
  let now = 0;
  const sink = await startSink();
  const upstream = smarthost(sink.url(), { clock: { now: () => now } });
  await upstream.relay(envelope(['a@x.example']), [MESSAGE]);
  now += 3_600_000;
  await upstream.relay(envelope(['b@x.example']), [MESSAGE]);
  t.equal(sink.sessions.length, 2);
  await upstream.close();
  await sink.close();
});

t.test('a connection is renewed after so many messages, or so many refusals', async t => {
  const sink = await startSink({ script: ({ path, stage }) => (stage === 'rcpt' && path.startsWith('no') ? '550 5.1.1 No' : undefined) });
  const upstream = smarthost(sink.url(), { messagesPerConnection: 3 });
  for (let i = 0; i < 7; i++) await upstream.relay(envelope(['a@x.example']), [MESSAGE]);
  t.same(
    sink.sessions.map(({ commands }) => commands.filter(line => line === 'DATA').length),
    [3, 3, 1],
  );
  await upstream.close();
  // One place: the next message waits until the connection is cleared away, which is behind the answer.
  const other = smarthost(sink.url(), { connections: 1 });
  for (let i = 0; i < 11; i++) await other.relay(envelope(['no@x.example']), [MESSAGE]);
  const refused = sink.sessions.slice(3).map(({ commands }) => commands.filter(line => line.startsWith('RCPT')).length);
  t.same(refused, [5, 5, 1], 'before a server that counts errors slows down');
  await other.close();
  await sink.close();
});

t.test('a connection that the server gave up while idle is replaced, and nobody notices', async t => {
  const table: [string, (sink: Awaited<ReturnType<typeof startSink>>) => void][] = [
    ['closed', sink => sink.sessions[0]?.end()],
    ['reset', sink => sink.dropAll()],
    ['421', sink => sink.sessions[0]?.say('421 4.4.2 Timeout\r\n')],
  ];
  for (const [name, give] of table) {
    for (const noticed of [true, false]) {
      const sink = await startSink();
      const upstream = smarthost(sink.url());
      await upstream.relay(envelope(['a@x.example']), [MESSAGE]);
      give(sink);
      if (noticed) await until(() => sink.open === 0);
      t.equal(
        (await upstream.relay(envelope(['b@x.example']), [MESSAGE])).stage,
        'done',
        `${name}, ${noticed ? 'noticed before' : 'in the same moment'}`,
      );
      t.same(
        sink.messages.map(({ to }) => to[0]),
        ['a@x.example', 'b@x.example'],
      );
      t.equal(sink.sessions.length, 2);
      await upstream.close();
      await sink.close();
    }
  }
});

t.test('a kept connection lost in the dialogue: begun again before DATA, never after', async t => {
  const table = [
    ['mail', 'done', undefined],
    ['rcpt', 'done', undefined],
    ['data', undefined, false],
    ['dot', undefined, true],
  ] as const;
  for (const extensions of [['PIPELINING'], []]) {
    for (const [at, stage, dotSent] of table) {
      let messages = 0;
      const sink = await startSink({
        extensions,
        script: event => {
          if (event.stage === 'connect') messages = 0;
          if (event.stage === 'dot') messages += 1;
          const second = event.stage === 'dot' ? messages === 2 : messages === 1;
          return sink.sessions.length === 1 && second && event.stage === at ? { end: 'close' } : undefined;
        },
      });
      const upstream = smarthost(sink.url());
      await upstream.relay(envelope(['a@x.example']), [MESSAGE]);
      const running = upstream.relay(envelope(['b@x.example']), [MESSAGE]);
      if (stage === undefined) t.equal((await lossOf(running))?.dotSent, dotSent, `lost at ${at}`);
      else t.equal((await running).stage, stage, `lost at ${at}`);
      t.equal(sink.sessions.length, stage === undefined ? 1 : 2);
      await upstream.close();
      await sink.close();
    }
  }
});

t.test('an answer out of place on a kept connection is no loss that may be begun again', async t => {
  const sink = await startSink({ script: ({ stage, path }) => (stage === 'rcpt' && path === 'b@x.example' ? '354 Go on' : undefined) });
  const upstream = smarthost(sink.url());
  await upstream.relay(envelope(['a@x.example']), [MESSAGE]);
  t.match((await lossOf(upstream.relay(envelope(['b@x.example']), [MESSAGE])))?.message, /answered 354 where nothing was to follow/);
  t.equal(sink.sessions.length, 1);
  await upstream.close();
  await sink.close();
});

t.test('421 on a kept connection is tried once more elsewhere; there it is the answer', async t => {
  let busy = false;
  const sink = await startSink({ script: ({ stage }) => (busy && stage === 'mail' ? '421 4.3.2 Busy' : undefined) });
  const upstream = smarthost(sink.url());
  await upstream.relay(envelope(['a@x.example']), [MESSAGE]);
  busy = true;
  const result = await upstream.relay(envelope(['b@x.example']), [MESSAGE]);
  t.same([result.stage, result.reply.code], ['mail', 421]);
  t.equal(sink.sessions.length, 2);
  await upstream.close();
  await sink.close();
});

t.test('a consent\u2019s DSN goes out though every connection waits for consent', async t => {
  const sink = await startSink({ script: ({ path, stage }) => (stage === 'rcpt' && path.startsWith('no') ? '550 5.1.1 No' : undefined) });
  const upstream = smarthost(sink.url(), { connections: 3, timeouts: { wait: 5000 } });
  let most = 0;
  const consent = async ({ accepted }: RcptAnswers) => {
    most = Math.max(most, sink.open);
    const { stage } = await upstream.relay(envelope([`dsn-${accepted[0]}`], null), [MESSAGE]);
    return stage === 'done';
  };
  const results = await Promise.all(
    Array.from({ length: 12 }, (_, i) => upstream.relay(envelope([`a${i}@x.example`, `no${i}@x.example`]), [MESSAGE], consent)),
  );
  t.ok(results.every(({ stage, refused }) => stage === 'done' && refused.size === 1));
  t.equal(sink.messages.length, 24);
  // Six, and those that the sink has not yet seen closing.
  t.ok(most <= 9, `${most} connections at once`);
  t.ok(await until(() => sink.open <= 3), 'those beyond the limit are not kept');
  await upstream.close();
  await sink.close();
});

t.test('waiting for a connection ends', async t => {
  const sink = await startSink({ script: ({ stage }) => (stage === 'dot' ? pause(400).then(() => undefined) : undefined) });
  const upstream = smarthost(sink.url(), { connections: 1, timeouts: { wait: 40 } });
  const running = upstream.relay(envelope(['a@x.example']), [MESSAGE]);
  const loss = await lossOf(upstream.relay(envelope(['b@x.example']), [MESSAGE]));
  t.match(loss?.message, /no connection came free within 0\.04 s/);
  t.equal(loss?.dotSent, false);
  t.equal((await running).stage, 'done');
  await upstream.close();
  await sink.close();
});

t.test('close lets a running transaction end, and takes no new one', async t => {
  const sink = await startSink({ script: ({ stage }) => (stage === 'dot' ? pause(100).then(() => undefined) : undefined) });
  const upstream = smarthost(sink.url(), { connections: 1 });
  const running = upstream.relay(envelope(['a@x.example']), [MESSAGE]);
  const waiting = lossOf(upstream.relay(envelope(['b@x.example']), [MESSAGE]));
  await until(() => sink.transactions[0]?.complete === true);
  const closed = upstream.close();
  t.match((await waiting)?.message, /closing/);
  t.match((await lossOf(upstream.relay(envelope(['c@x.example']), [MESSAGE])))?.message, /closing/);
  t.match((await lossOf(upstream.verify()))?.message, /closing/);
  t.equal((await running).reply.code, 250);
  await closed;
  t.ok(await until(() => sink.open === 0));
  t.equal(sink.messages.length, 1);
  await sink.close();
});

t.test('close cuts what does not end', async t => {
  const sink = await startSink({ script: ({ stage }) => (stage === 'dot' ? { end: 'stall' } : undefined) });
  const upstream = smarthost(sink.url());
  const running = lossOf(upstream.relay(envelope(['a@x.example']), [MESSAGE]));
  await until(() => sink.transactions[0]?.complete === true);
  await upstream.close();
  t.equal((await running)?.dotSent, true);
  await sink.close();
});
