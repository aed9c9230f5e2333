/** Alarms for misuse, on a clock that the test turns. */
import { pino } from 'pino';
import t from 'tap';
import { Value } from 'typebox/value';
import { Alerts } from '../../src/watch/alerts.ts';
import { type AlertsOptions, alertsOptions } from '../../src/watch/options.ts';
import { Window } from '../../src/watch/window.ts';
import { clockAt } from '../lists/house.ts';

const NOW = Date.UTC(2026, 5, 1);
const MINUTE = 60_000;

function watching(given: object) {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'info', base: null, timestamp: false }, { write: line => void lines.push(JSON.parse(line)) });
  const clock = clockAt(NOW);
  const alerts = new Alerts({ options: Value.Default(alertsOptions, given) as AlertsOptions, clock, log });
  const told = () => lines.splice(0).map(({ alarm, over, client, from, account }) => [alarm ?? `over: ${over}`, client ?? from ?? account]);
  return { alerts, clock, lines, told };
}

const times = (n: number, work: () => void) => {
  for (let i = 0; i < n; i++) work();
};

t.test('a window forgets what is older than it, and no clock that jumps upsets it', async t => {
  const window = new Window(20_000, 2);
  window.add(100_000, [1, 10]);
  window.add(110_000, [2, 20]);
  t.same(window.sums(119_000), [3, 30]);
  t.same(window.sums(120_000), [2, 20]);
  window.add(90_000, [5, 0]);
  t.same(window.sums(90_000), [7, 20], 'set back: counted as the latest');
  t.same(window.sums(10_000_000), [0, 0]);
  window.add(10_000_000, [1, 1]);
  t.same(window.sums(10_000_000), [1, 1]);
});

t.test('A34: a burst of refusals alarms once, is over when it is over, and alarms anew', async t => {
  const { alerts, clock, lines, told } = watching({ refusals: { count: 100, minutes: 10 } });
  for (let i = 0; i < 5; i++) {
    times(19, () => alerts.refused('acme'));
    clock.at += MINUTE;
  }
  t.same(told(), [], '95 within 10 minutes');
  times(100, () => alerts.refused('other'));
  times(5, () => alerts.refused('acme'));
  t.match(lines, [
    { level: 50, alarm: 'refusals', client: 'other', refused: 100, minutes: 10 },
    { level: 50, alarm: 'refusals', client: 'acme', refused: 100 },
  ]);
  lines.length = 0;
  times(1000, () => alerts.refused('acme'));
  alerts.sweep();
  t.same(told(), [], 'once for each incident');
  clock.at += 11 * MINUTE;
  alerts.sweep();
  t.same(told().toSorted(), [
    ['over: refusals', 'acme'],
    ['over: refusals', 'other'],
  ]);
  alerts.sweep();
  t.same(told(), []);
  times(100, () => alerts.refused('acme'));
  t.same(told(), [['refusals', 'acme']]);
});

t.test('A34: an ordinary day alarms nobody', async t => {
  const { alerts, clock, told } = watching({});
  for (let minute = 0; minute < 60; minute++) {
    times(1000, () => alerts.asked('acme', false));
    times(60, () => {
      alerts.asked('acme', true);
      alerts.refused('acme');
    });
    times(3, () => alerts.failedLogin('smtp', '192.0.2.7'));
    if (minute % 3 === 0) alerts.exported('ann', 100);
    clock.at += 2 * MINUTE;
  }
  t.same(told(), []);
});

t.test('A34: list probing is many listed among those asked for', async t => {
  const { alerts, clock, told } = watching({ listProbing: { listed: 50, share: 0.5, minutes: 10 } });
  times(500, () => alerts.asked('acme', false));
  times(100, () => alerts.asked('acme', true));
  t.same(told(), [], 'one in six');
  times(50, () => alerts.asked('other', true));
  t.same(told(), [['list-probing', 'other']]);
  t.equal(alerts.hold('other'), undefined, 'by default nothing follows: a stale list looks the same');
  clock.at += 20 * MINUTE;
  alerts.sweep();
  t.same(told(), [['over: list-probing', 'other']]);
});

t.test('A34: slowing and hanging up are opt-in, and end with the incident', async t => {
  for (const [answer, code] of [
    ['slow', 450],
    ['hang-up', 421],
  ] as const) {
    const { alerts, clock, told } = watching({ listProbing: { listed: 50, answer } });
    times(50, () => alerts.asked('acme', true));
    t.match(alerts.hold('acme'), { code, status: '4.7.0' });
    t.equal(alerts.hold('other'), undefined);
    clock.at += 11 * MINUTE;
    t.equal(alerts.hold('acme'), undefined, 'over without a sweep, too');
    t.same(told().length, 2);
  }
});

t.test('A34: failed logins from one address, from everywhere, and at either door', async t => {
  const { alerts, told } = watching({ failedLogins: { perAddress: 10, total: 50 } });
  times(10, () => alerts.failedLogin('admin', '192.0.2.7'));
  t.same(told(), [['failed-logins', '192.0.2.7']]);
  let i = 0;
  times(40, () => alerts.failedLogin('smtp', `198.51.100.${i++}`));
  t.same(told(), [['failed-logins-everywhere', undefined]]);
});

t.test('A34: mass export, by files and by entries', async t => {
  const { alerts, told } = watching({ exports: { count: 3, entries: 1000 } });
  times(2, () => alerts.exported('ann', 10));
  alerts.exported('ben', 1000);
  t.same(told(), [['mass-export', 'ben']]);
  alerts.exported('ann', 0);
  t.same(told(), [['mass-export', 'ann']]);
});

t.test('0 is no alarm', async t => {
  const off = {
    refusals: { count: 0 },
    listProbing: { listed: 0 },
    failedLogins: { perAddress: 0, total: 0 },
    exports: { count: 0, entries: 0 },
  };
  const { alerts, told } = watching(off);
  times(1000, () => {
    alerts.refused('acme');
    alerts.asked('acme', true);
    alerts.failedLogin('smtp', '192.0.2.7');
    alerts.exported('ann', 1_000_000);
  });
  t.same(told(), []);
});

t.test('bounded: any number of strangers, and an incident is not forgotten among them', async t => {
  const { alerts, clock, told } = watching({ failedLogins: { perAddress: 5, total: 0 } });
  times(5, () => alerts.failedLogin('smtp', 'first'));
  let i = 0;
  times(20_000, () => alerts.failedLogin('smtp', `stranger ${i++}`));
  times(5, () => alerts.failedLogin('smtp', 'first'));
  t.same(told(), [['failed-logins', 'first']]);
  clock.at += 10 * MINUTE;
  alerts.sweep();
  t.same(told(), [['over: failed-logins', 'first']]);
});
