/** The options' defaults and limits. */
import t from 'tap';
import { Value } from 'typebox/value';
import { listenerOptions } from '../../src/smtp/options.ts';

t.test('defaults', async t => {
  const options = Value.Default(listenerOptions, {}) as Record<string, unknown>;
  t.ok(Value.Check(listenerOptions, options));
  t.match(options, {
    listen: '127.0.0.1:2525',
    maxMessageBytes: 26_214_400,
    maxRecipients: 1000,
    byteBudget: 536_870_912,
    maxSessions: 2000,
    proxyProtocol: [],
    xclient: [],
    stopSeconds: 30,
    tls: {},
  });
});

t.test('what cannot be meant is refused', async t => {
  const base = Value.Default(listenerOptions, {}) as object;
  for (const wrong of [
    { maxRecipients: 99 },
    { listen: [] },
    { maxSessions: 0 },
    { tls: { cert: '' } },
    { hostname: 'a b' },
    { unknown: 1 },
  ]) {
    t.notOk(Value.Check(listenerOptions, { ...base, ...wrong }), JSON.stringify(wrong));
  }
});
