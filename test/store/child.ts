/** A second process on the same store: finds what it is asked for, or writes numbered records and tells which were acknowledged. */
import { pino } from 'pino';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

const [url = '', task = ''] = process.argv.slice(2);
const store = await openStore(url, {
  create: true,
  patient: false,
  log: pino({ level: 'silent' }),
  admit: async () => undefined,
  timeoutMs: 5_000,
});

if (task === 'find') answer(store);
else if (task === 'write') await write(store);
else throw new Error('the task is find or write');

function answer(store: Store): void {
  process.on('message', async (id: string) => {
    const [value] = await store.find([{ owner: 'acme', log: 'seen', id }]);
    process.send?.(value?.toString() ?? null);
  });
  process.on('disconnect', () => void store.close().then(() => process.exit()));
  process.send?.('ready');
}

/** Writes from several loops, until it is killed. */
async function write(store: Store): Promise<void> {
  const loop = async (name: number) => {
    for (let n = 0; n < 100_000; n++) {
      const id = `${process.pid}-${name}-${n}`;
      await store.apply([
        { key: { owner: 'acme', log: 'crash', id }, value: Buffer.from(id) },
        { key: { owner: 'acme', set: 'crash', id: Buffer.from(id) }, value: Buffer.from(id) },
      ]);
      process.stdout.write(`${id}\n`);
    }
  };
  await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(loop));
}
