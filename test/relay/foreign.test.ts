/** The same transactions against somebody else's server: Postfix's smtp-sink, with and without PIPELINING and EHLO. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import t from 'tap';
import { envelope, lossOf, MESSAGE, smarthost } from './relaying.ts';

const program = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  .map(folder => join(folder, 'smtp-sink'))
  .find(path => existsSync(path));

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const table: [string, string[]][] = [
  ['everything announced', []],
  ['no PIPELINING', ['-p']],
  ['no EHLO', ['-e']],
];

for (const [name, flags] of table) {
  t.test(`smtp-sink, ${name}`, { skip: program === undefined ? 'smtp-sink (package postfix) is not installed' : false }, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'smtp-sink-'));
    chmodSync(folder, 0o777);
    const port = await freePort();
    const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
    const sink: ChildProcess = spawn(program ?? '', [...flags, ...user, '-d', join(folder, 'm.'), `127.0.0.1:${port}`, '20'], {
      stdio: 'ignore',
    });
    t.teardown(async () => {
      sink.kill();
      await rm(folder, { recursive: true, force: true });
    });
    const upstream = smarthost(`smtp://127.0.0.1:${port}`, { connections: 5 });
    for (let i = 0; i < 100 && (await lossOf(upstream.verify())) !== undefined; i++) await new Promise(resolve => setTimeout(resolve, 20));
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, i) => upstream.relay(envelope([`a${i}@x.example`, `b${i}@x.example`]), [MESSAGE])),
    );
    t.ok(results.every(({ stage, reply, refused }) => stage === 'done' && reply.code === 250 && refused.size === 0));
    await upstream.close();
    const dumps = readdirSync(folder).map(file => readFileSync(join(folder, file), 'latin1'));
    t.equal(dumps.length, 40, 'each arrived once');
    const body = MESSAGE.toString('latin1').replaceAll('\r\n', '\n');
    for (const [i, dump] of dumps.entries()) if (!dump.includes(body)) t.equal(dump, body, `message ${i} arrived otherwise`);
    const recipients = dumps.flatMap(dump => [...dump.matchAll(/^X-Rcpt-Args: <(.+)>/gm)].map(match => match[1]));
    t.same(new Set(recipients).size, 80);
  });
}
