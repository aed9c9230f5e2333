/** Work that is done again and again: what an outage leaves in the log. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { createLog } from '../../src/ops/log.ts';
import { regularly } from '../../src/ops/regularly.ts';

t.test('what fails again and again is logged when it begins to, and once more when it begins anew', async t => {
  const lines: string[] = [];
  const log = createLog('info', { write: line => void lines.push(line) });
  const turns = new PassThrough({ objectMode: true });
  let outage = true;
  const work = regularly(1, 'sweeping', log, async () => {
    turns.write(outage);
    if (outage) throw new Error('the store is away');
  });
  t.teardown(() => work.stop());
  // The timer of `regularly` keeps no process alive.
  const alive = setInterval(() => undefined, 1_000);
  t.teardown(() => clearInterval(alive));
  const seen = async (failing: boolean, times: number) => {
    for (let left = times; left > 0; ) {
      const [failed] = await once(turns, 'data');
      if (failed === failing) left -= 1;
    }
  };
  await seen(true, 20);
  t.equal(lines.length, 1);
  t.match(JSON.parse(lines[0] ?? ''), { level: 'warn', msg: 'sweeping failed and is tried again', unlogged: 0 });
  outage = false;
  await seen(false, 2);
  outage = true;
  await seen(true, 2);
  await work.stop();
  t.equal(lines.length, 2);
});
