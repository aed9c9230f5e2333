/** The limit on waiting for a store: silence ends it, and a thread that was too busy to listen does not. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { within } from '../../src/store/deadline.ts';
import { StoreUnavailable } from '../../src/store/store.ts';

t.test('silence, and only that, is no answer', async t => {
  t.equal(await within(40_000, Promise.resolve('answer')), 'answer');
  await t.rejects(within(1, new Promise(() => undefined)), StoreUnavailable);
  await t.rejects(within(40_000, Promise.reject(new Error('its own'))), { message: 'its own' });
});

t.test('an answer that came while this thread was busy is one', async t => {
  const answered = new Int32Array(new SharedArrayBuffer(4));
  // A server on a thread of its own, which says when its answer is on its way.
  const server = new Worker(
    `const { workerData: answered, parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer(socket => socket.once('data', () => socket.write('answer', () => {
       Atomics.store(answered, 0, 1);
       Atomics.notify(answered, 0);
     })));
     server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    { eval: true, workerData: answered },
  );
  t.teardown(() => server.terminate());
  const [port] = await once(server, 'message');
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  socket.write('question');
  const limitMs = 20;
  const waiting = within(limitMs, once(socket, 'data'));
  const from = performance.now();
  Atomics.wait(answered, 0, 0);
  // The rest of the limit, and the millisecond to which timers are rounded.
  Atomics.wait(answered, 0, 1, limitMs + 2 - (performance.now() - from));
  t.equal(String((await waiting)[0]), 'answer');
});
