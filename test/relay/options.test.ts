/** The options: RFC 5321 §4.5.3.2 is the least that holds by default, unknown keys are errors. */
import t from 'tap';
import { Value } from 'typebox/value';
import { DEFAULT_TIMEOUTS, inMilliseconds, upstreamOptions } from '../../src/relay/options.ts';

t.test('defaults', async t => {
  const options = Value.Default(upstreamOptions, {});
  t.ok(Value.Check(upstreamOptions, options));
  t.match(options, { url: 'smtp://127.0.0.1:25', connections: 20, messagesPerConnection: 100, timeouts: { connect: 30, idle: 30 } });
  const minutes = { greeting: 5, mail: 5, rcpt: 5, data: 2, block: 3, dot: 10 };
  for (const [name, least] of Object.entries(minutes)) t.equal(DEFAULT_TIMEOUTS[name as keyof typeof minutes], least * 60_000, name);
});

t.test('what is configured is told in seconds and kept in milliseconds; typing errors are refused', async t => {
  const options = Value.Default(upstreamOptions, { timeouts: { dot: 0.2 } });
  t.ok(Value.Check(upstreamOptions, options));
  if (Value.Check(upstreamOptions, options)) t.match(inMilliseconds(options.timeouts), { dot: 200, mail: 300_000 });
  for (const wrong of [{ connection: 3 }, { connections: 0 }, { timeouts: { dots: 3 } }, { timeouts: { dot: 0 } }, { url: '' }]) {
    t.notOk(Value.Check(upstreamOptions, Value.Default(upstreamOptions, wrong)), JSON.stringify(wrong));
  }
});
