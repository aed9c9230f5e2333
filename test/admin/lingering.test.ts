/** An answer before the end of the request reaches who still sends: the connection is not reset under it. */
import t from 'tap';
import { dialRaw } from './raw.ts';
import { newOffice } from './support.ts';

const PIECE = 'x'.repeat(64 * 1024);
const head = (length: number): string =>
  ['POST /v1/clients/acme/imports HTTP/1.1', 'Host: here', 'Content-Type: text/csv', `Content-Length: ${length}`, '', ''].join('\r\n');

t.test('what is sent after an early answer is read, and then the connection ends in peace', async t => {
  const office = await newOffice(t);
  const caller = await dialRaw(office.url);
  const errors: Error[] = [];
  caller.socket.on('error', error => errors.push(error));
  caller.socket.write(head(3 * PIECE.length) + PIECE);
  await caller.until(/^HTTP\/1\.1 401 [\s\S]*connection: close[\s\S]*"type":"unauthenticated"[^}]*\}$/i);
  for (let i = 0; i < 2; i++)
    await new Promise<void>((resolve, reject) => caller.socket.write(PIECE, error => (error ? reject(error) : resolve())));
  await caller.ended;
  t.same(errors, []);
});

t.test('whoever does not end is not waited for', async t => {
  const office = await newOffice(t);
  const caller = await dialRaw(office.url);
  caller.socket.write(head(3 * PIECE.length) + PIECE);
  t.match(await caller.ended, /^HTTP\/1\.1 401 /);
});
