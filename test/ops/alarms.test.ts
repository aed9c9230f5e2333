/** What Prometheus' rules look for is there before it happens: a series that begins at 1 has not grown, so its first alarm would pass in silence. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ALARMS, exposition, Metrics } from '../../src/ops/metrics.ts';

const SRC = new URL('../../src', import.meta.url).pathname;

t.test('A34: every alarm that the source may raise is counted from 0', async t => {
  const raised = new Set<string>();
  for (const file of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(join(SRC, file), 'utf8');
    const places = [...text.matchAll(/\balarm: '[a-z0-9-]+'|^(?:export )?type Alarm = .*$/gm)].join('\n');
    for (const [, name] of places.matchAll(/'([a-z0-9-]+)'/g)) raised.add(name ?? '');
  }
  t.same([...raised].sort(), [...ALARMS].sort());
});

t.test('alarms, events given up and unknown outcomes are told before there are any', async t => {
  const text = await exposition([await new Metrics({ perClient: false }).snapshot()]);
  for (const alarm of ALARMS) t.ok(text.includes(`postern_alarms_total{alarm="${alarm}"} 0\n`), alarm);
  for (const result of ['dead', 'dropped']) t.ok(text.includes(`postern_webhooks_total{result="${result}"} 0\n`), result);
  t.match(text, /postern_decisions_total\{outcome="unknown",[^}]*\} 0\n/);
});
