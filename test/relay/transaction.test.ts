/** One transaction against a real socket: who was refused is told truly, nobody left means no DATA, and only the final dot's reply is an acceptance. */
import t from 'tap';
import { replyLine } from '../../src/mail/reply.ts';
import type { RcptAnswers } from '../../src/relay/upstream.ts';
import { type SinkAnswer, type SinkStage, startSink } from '../support/sink.ts';
import { envelope, lossOf, MESSAGE, smarthost, until } from './relaying.ts';

const LOCK_STEP = ['8BITMIME', 'SIZE'];
const GROUPED = ['PIPELINING', ...LOCK_STEP];
const FATES = ['pass', 'refuse', 'defer'] as const;
const ANSWERS = { pass: '250 2.1.5 OK', refuse: '550 5.1.1 Nobody', defer: '450 4.2.1 Later' };

for (const extensions of [GROUPED, LOCK_STEP]) {
  const grouped = extensions === GROUPED;
  t.test(`every mix of accepted, refused and deferred recipients, ${grouped ? 'in one group' : 'in lock step'}`, async t => {
    const sink = await startSink({
      extensions,
      // Slower than an immediate answer, so that commands sent ahead of their turn would be there to be seen.
      script: async ({ stage, path }) => {
        if (stage === 'mail') await new Promise(resolve => setTimeout(resolve, 2));
        return stage === 'rcpt' ? ANSWERS[path.split('@')[0]?.slice(2) as keyof typeof ANSWERS] : undefined;
      },
    });
    const upstream = smarthost(sink.url());
    for (const a of FATES) {
      for (const b of FATES) {
        for (const c of FATES) {
          for (const consents of [undefined, true, false]) {
            const name = `${a}, ${b}, ${c}; consent ${consents}`;
            const to = [a, b, c].map((fate, i) => `${i}.${fate}@x.example`);
            const passing = to.filter(path => path.includes('pass'));
            const asked: RcptAnswers[] = [];
            const consent =
              consents === undefined
                ? undefined
                : async (answers: RcptAnswers) => {
                    asked.push(answers);
                    return consents;
                  };
            const before = sink.transactions.length;
            const { reply, refused, stage } = await upstream.relay(envelope(to), [MESSAGE], consent);
            const seen = sink.transactions.slice(before);
            if (seen.length !== 1) t.fail(`${name}: ${seen.length} transactions`);
            t.same(
              [...refused.keys()],
              to.filter(path => !path.includes('pass')),
              `${name}: the refused`,
            );
            if (passing.length === 0) {
              t.equal(stage, 'rcpt', name);
              t.equal(reply.code, to.some(path => path.includes('defer')) ? 450 : 550, name);
              t.equal(asked.length, 0, `${name}: not asked`);
            } else {
              t.equal(asked.length, consents === undefined ? 0 : 1, `${name}: asked`);
              if (asked[0]) t.same(asked[0].accepted, passing);
              t.equal(stage, consents === false ? 'held' : 'done', name);
              if (consents !== false) t.equal(replyLine(reply), '250 2.0.0 Taken', name);
            }
            t.equal(seen[0]?.complete, stage === 'done', `${name}: sent or not`);
            if (stage === 'done') {
              t.same(seen[0]?.to, passing, `${name}: to those who passed`);
              t.equal(seen[0]?.octets.toString(), MESSAGE.toString(), `${name}: untouched`);
            }
          }
        }
      }
    }
    for (const session of sink.sessions) {
      if (session.pipelined !== grouped) t.fail(grouped ? 'commands came one by one' : 'a command came before its turn');
    }
    t.ok(await until(() => sink.sessions.some(({ commands }) => commands.includes('RSET'))), 'what was not sent was reset');
    await upstream.close();
    await sink.close();
  });
}

t.test('refusals of the transaction as a whole, and their stage', async t => {
  const table: [SinkStage, SinkAnswer, string, string][] = [
    ['mail', '550 5.7.1 Not you', 'mail', '550 5.7.1 Not you'],
    ['mail', '451 4.3.0 Not now', 'mail', '451 4.3.0 Not now'],
    ['mail', '421 4.3.2 Going down', 'mail', '421 4.3.2 Going down'],
    ['rcpt', '421 4.3.2 Going down', 'mail', '421 4.3.2 Going down'],
    ['data', '554 5.5.1 No', 'data', '554 5.5.1 No'],
    ['data', '421 4.3.2 Going down', 'data', '421 4.3.2 Going down'],
    ['dot', '554 5.6.0 Bad words', 'done', '554 5.6.0 Bad words'],
    ['dot', '452-4.3.1 \n452 full', 'done', '452 4.3.1 full'],
    ['dot', '421 4.3.2 Going down', 'done', '421 4.3.2 Going down'],
  ];
  for (const extensions of [GROUPED, LOCK_STEP]) {
    for (const [stage, answer, expectedStage, expected] of table) {
      const sink = await startSink({ extensions, script: event => (event.stage === stage ? answer : undefined) });
      const upstream = smarthost(sink.url());
      const result = await upstream.relay(envelope(['a@x.example', 'b@x.example']), [MESSAGE]);
      t.same([result.stage, replyLine(result.reply), result.refused.size], [expectedStage, expected, 0], `${stage}: ${expected}`);
      if (expected.startsWith('421')) t.ok(await until(() => sink.open === 0), 'the connection is given up');
      else t.ok(await until(() => sink.open === 1), 'the connection is kept');
      await upstream.close();
      await sink.close();
    }
  }
});

t.test('a 421 at RCPT speaks of the connection: what was answered before it is kept apart', async t => {
  const sink = await startSink({ script: ({ path }) => ({ 'a@x.example': '550 5.1.1 Nobody', 'c@x.example': '421 4.3.2 Bye' })[path] });
  const upstream = smarthost(sink.url());
  const result = await upstream.relay(envelope(['a@x.example', 'b@x.example', 'c@x.example', 'd@x.example']), [MESSAGE]);
  t.same([result.stage, result.reply.code, [...result.refused.keys()]], ['mail', 421, ['a@x.example']]);
  await upstream.close();
  await sink.close();
});

t.test('no 2xx or 3xx out of place is taken for an acceptance', async t => {
  const table: [SinkStage, SinkAnswer, boolean][] = [
    ['mail', '354 Go on', false],
    ['rcpt', '354 Go on', false],
    ['data', '250 2.0.0 Taken', false],
    ['data', '334 ', false],
    ['data', { reply: '354 Go on', raw: '250 2.0.0 Taken\r\n' }, false],
    ['rcpt', { reply: '250 2.1.5 OK', raw: '354 Go on\r\n' }, false],
    ['rcpt', { reply: '250 2.1.5 OK', raw: '250-2.0.0 Tak' }, false],
    ['dot', '354 Go on', true],
    ['dot', 'HTTP/1.1 200 OK', true],
  ];
  for (const extensions of [GROUPED, LOCK_STEP]) {
    for (const [stage, answer, dotSent] of table) {
      const sink = await startSink({ extensions, script: event => (event.stage === stage ? answer : undefined) });
      const upstream = smarthost(sink.url());
      const loss = await lossOf(upstream.relay(envelope(['a@x.example']), [MESSAGE]));
      t.equal(loss?.dotSent, dotSent, `${stage}: ${JSON.stringify(answer)}`);
      t.ok(await until(() => sink.open === 0), 'the connection is given up');
      await upstream.close();
      await sink.close();
    }
  }
});

t.test('an unasked reply beside the last one, or while idle, ends the connection and answers nothing', async t => {
  let first = true;
  const sink = await startSink({
    script: ({ stage }) => {
      if (stage !== 'dot' || !first) return undefined;
      first = false;
      return { reply: '250 2.0.0 Taken', raw: '250 2.1.0 OK\r\n250 2.1.5 OK\r\n354 Go on\r\n250 2.0.0 Taken\r\n' };
    },
  });
  const upstream = smarthost(sink.url());
  t.equal((await upstream.relay(envelope(['a@x.example']), [MESSAGE])).stage, 'done');
  t.equal((await upstream.relay(envelope(['b@x.example']), [MESSAGE])).stage, 'done');
  t.equal(sink.sessions.length, 2, 'on a connection of its own');
  sink.sessions[1]?.say('250 2.0.0 What you will send next is fine\r\n');
  t.ok(await until(() => sink.open === 0), 'cut while idle');
  t.equal((await upstream.relay(envelope(['c@x.example']), [MESSAGE])).stage, 'done');
  t.same(
    sink.messages.map(({ to }) => to[0]),
    ['a@x.example', 'b@x.example', 'c@x.example'],
  );
  await upstream.close();
  await sink.close();
});

t.test('consent that fails: no message octet is sent, the fault goes on to the caller', async t => {
  const sink = await startSink();
  const upstream = smarthost(sink.url());
  const fault = new Error('the store is gone');
  await t.rejects(
    upstream.relay(envelope(['a@x.example']), [MESSAGE], () => Promise.reject(fault)),
    fault,
  );
  t.ok(await until(() => sink.open === 0));
  t.notOk(sink.sessions[0]?.commands.includes('DATA'));
  await upstream.close();
  await sink.close();
});
