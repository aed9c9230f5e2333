/** An upstream lost or silent at each stage: always a loss, never an answer, and `dotSent` exactly from the final dot on. */
import t from 'tap';
import type { Timeouts } from '../../src/relay/options.ts';
import { type SinkAnswer, type SinkStage, startSink } from '../support/sink.ts';
import { envelope, lossOf, MESSAGE, smarthost, until } from './relaying.ts';

const BIG = [Buffer.from('Subject: big\r\n\r\n'), Buffer.alloc(4 << 20, 'x'.repeat(76).concat('\r\n'))];

t.test('the connection is lost', async t => {
  const table: [SinkStage, SinkAnswer, readonly Buffer[], boolean][] = [
    ['connect', { end: 'close' }, [MESSAGE], false],
    ['connect', { end: 'reset' }, [MESSAGE], false],
    ['connect', { reply: '220-half', end: 'close' }, [MESSAGE], false],
    ['ehlo', { end: 'close' }, [MESSAGE], false],
    ['mail', { end: 'close' }, [MESSAGE], false],
    ['mail', { end: 'reset' }, [MESSAGE], false],
    ['mail', { reply: '250 2.1.0 OK', end: 'close' }, [MESSAGE], false],
    ['rcpt', { end: 'reset' }, [MESSAGE], false],
    ['rcpt', { reply: '250 2.1.5 OK', end: 'close' }, [MESSAGE], false],
    ['data', { end: 'close' }, [MESSAGE], false],
    ['data', { reply: '354 Go on', end: 'close' }, BIG, false],
    ['body', { end: 'close' }, BIG, false],
    ['body', { end: 'reset' }, BIG, false],
    ['dot', { end: 'close' }, [MESSAGE], true],
    ['dot', { end: 'reset' }, [MESSAGE], true],
    ['dot', { raw: '250-2.0.0 Tak', end: 'close' }, [MESSAGE], true],
    ['dot', { raw: '250-2.0.0 Taken\r\n', end: 'close' }, [MESSAGE], true],
    ['dot', { end: 'close' }, BIG, true],
  ];
  for (const extensions of [['PIPELINING'], []]) {
    for (const [stage, answer, octets, dotSent] of table) {
      const sink = await startSink({ extensions, script: event => (event.stage === stage ? answer : undefined) });
      const upstream = smarthost(sink.url());
      const loss = await lossOf(upstream.relay(envelope(['a@x.example', 'b@x.example']), octets));
      t.equal(loss?.dotSent, dotSent, `at ${stage}: ${JSON.stringify(answer)}`);
      t.notMatch(loss?.message, '@', 'no address is told');
      t.equal(sink.sessions.length, 1, 'a fresh connection is not tried again');
      await upstream.close();
      await sink.close();
    }
  }
});

t.test('the upstream falls silent', async t => {
  const table: [SinkStage, string, boolean, keyof Timeouts][] = [
    ['connect', 'the connection', false, 'greeting'],
    ['ehlo', 'EHLO', false, 'mail'],
    ['mail', 'MAIL', false, 'mail'],
    ['rcpt', 'RCPT', false, 'rcpt'],
    ['data', 'DATA', false, 'data'],
    ['dot', 'the final dot', true, 'dot'],
  ];
  for (const [stage, what, dotSent, timeout] of table) {
    const sink = await startSink({ extensions: [], script: event => (event.stage === stage ? { end: 'stall' } : undefined) });
    const upstream = smarthost(sink.url(), { timeouts: { [timeout]: timeout === 'mail' ? 300 : 60 } });
    const loss = await lossOf(upstream.relay(envelope(['a@x.example']), [MESSAGE]));
    t.match(loss?.message, `no answer to ${what} within 0.`);
    t.equal(loss?.dotSent, dotSent, `silent at ${stage}`);
    t.ok(await until(() => sink.open === 0), 'the connection is cut');
    await upstream.close();
    await sink.close();
  }
});

t.test('each reply of a group has its own time', async t => {
  const sink = await startSink({
    script: async ({ stage, path }) => {
      if (stage === 'rcpt') await new Promise(resolve => setTimeout(resolve, 60));
      return path === 'z@x.example' ? { end: 'stall' } : undefined;
    },
  });
  const upstream = smarthost(sink.url(), { timeouts: { rcpt: 2000 } });
  const to = Array.from({ length: 40 }, (_, i) => `a${i}@x.example`);
  t.equal((await upstream.relay(envelope(to), [MESSAGE])).stage, 'done', 'longer than one time in all');
  await upstream.close();
  const impatient = smarthost(sink.url(), { timeouts: { rcpt: 500 } });
  t.equal((await lossOf(impatient.relay(envelope(['a@x.example', 'z@x.example']), [MESSAGE])))?.dotSent, false);
  await impatient.close();
  await sink.close();
});

t.test('a refusal in the middle of the message is the answer, and the dot is never sent', async t => {
  const sink = await startSink({
    script: ({ stage, received }) => (stage === 'body' && received > 100_000 ? '552 5.3.4 Enough' : undefined),
    pauseMs: 1,
  });
  const upstream = smarthost(sink.url());
  const result = await upstream.relay(envelope(['a@x.example']), [Buffer.alloc(16 << 20, 'x'.repeat(76).concat('\r\n'))]);
  t.same([result.stage, result.reply.code], ['data', 552]);
  t.ok(await until(() => sink.open === 0));
  t.notOk(sink.transactions[0]?.complete);
  await upstream.close();
  await sink.close();
});

t.test('an acceptance in the middle of the message is none', async t => {
  const sink = await startSink({
    script: ({ stage, received }) => (stage === 'body' && received > 100_000 ? '250 2.0.0 Taken' : undefined),
    pauseMs: 1,
  });
  const upstream = smarthost(sink.url());
  const loss = await lossOf(upstream.relay(envelope(['a@x.example']), [Buffer.alloc(16 << 20, 'x'.repeat(76).concat('\r\n'))]));
  t.equal(loss?.dotSent, false);
  await upstream.close();
  await sink.close();
});
