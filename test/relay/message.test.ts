/** The message on the wire: octets untouched however the pieces are cut, and no more of a big one in hand than the upstream takes. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import t from 'tap';
import { startSink } from '../support/sink.ts';
import { envelope, lossOf, MESSAGE, smarthost } from './relaying.ts';

t.test('octets arrive as they are, however the pieces are cut; a missing last CRLF is added', async t => {
  const long = Buffer.from('A: b\r\n\r\n'.concat('.\r\n..\r\n.x\r\n\u00e4.\r\n'.repeat(20_000)));
  const table: [string, Buffer, number, string?][] = [
    ['one piece', MESSAGE, MESSAGE.length],
    ['octet by octet', MESSAGE, 1],
    ['two by two', MESSAGE, 2],
    ['nothing at all', Buffer.alloc(0), 1],
    ['a dot', Buffer.from('.'), 1, '.\r\n'],
    ['no CRLF at the end', Buffer.from('A: b\r\n\r\n.'), 3, 'A: b\r\n\r\n.\r\n'],
    ['CR at the end', Buffer.from('A: b\r\n\r\nc\r'), 3, 'A: b\r\n\r\nc\r\r\n'],
    ['dots across blocks', long, long.length],
    ['dots across pieces of odd sizes', long, 9973],
    [
      'every octet',
      Buffer.concat([Buffer.from('A: b\r\n\r\n'), Buffer.from(Array.from({ length: 256 }, (_, i) => i)), Buffer.from('\r\n')]),
      7,
    ],
  ];
  const sink = await startSink();
  const upstream = smarthost(sink.url());
  for (const [name, octets, size, expected] of table) {
    const pieces: Buffer[] = [];
    for (let at = 0; at < octets.length; at += size) pieces.push(octets.subarray(at, at + size));
    await upstream.relay(envelope(['a@x.example']), pieces);
    const arrived = sink.messages.at(-1);
    t.ok(arrived?.octets.equals(expected === undefined ? octets : Buffer.from(expected)), name);
  }
  t.equal(sink.messages.length, table.length);
  await upstream.close();
  await sink.close();
});

t.test('a 20 MB message to a slow reader is handed over in small parts', async t => {
  const sink = await startSink({ pauseMs: 1 });
  const upstream = smarthost(sink.url());
  const sockets: Socket[] = [];
  const onSocket = (event: unknown): void => {
    sockets.push((event as { socket: Socket }).socket);
  };
  subscribe('net.client.socket', onSocket);
  const octets = Buffer.alloc(20 << 20, 'x'.repeat(76).concat('\r\n'));
  octets.write('\r\n', octets.length - 2);
  let [most, samples] = [0, 0];
  const sampling = setInterval(() => {
    samples += 1;
    most = Math.max(most, ...sockets.map(socket => socket.writableLength));
  }, 1);
  const result = await upstream.relay(envelope(['a@x.example']), [octets]);
  clearInterval(sampling);
  unsubscribe('net.client.socket', onSocket);
  t.equal(result.stage, 'done');
  t.ok(samples > 5 && most > 0, 'seen while it was sent');
  t.ok(most <= 512 * 1024, `at most ${most} octets in hand`);
  t.ok(sink.messages[0]?.octets.equals(octets), 'all there');
  await upstream.close();
  await sink.close();
});

t.test('an upstream that reads no further has its time for a block, and no dot follows', async t => {
  const sink = await startSink({ pauseMs: 60_000 });
  const upstream = smarthost(sink.url(), { timeouts: { block: 80 } });
  const loss = await lossOf(upstream.relay(envelope(['a@x.example']), [Buffer.alloc(24 << 20, 'x')]));
  t.match(loss?.message, /took no octets .* 0\.08 s/);
  t.equal(loss?.dotSent, false);
  await upstream.close();
  await sink.close();
});
