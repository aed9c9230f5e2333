/** A start that fails half-way leaves nothing open: ports are free again, and the process ends with its exit code. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import t from 'tap';
import { openHouse, startGate } from '../../src/app.ts';
import { newSite } from '../support/site.ts';

async function listening(port = 0): Promise<Server> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

t.test('what was opened before is closed, in this process and in one of its own', async t => {
  const servers = [await listening(), await listening(), await listening()];
  const [submission, inbound, admin] = servers.map(portOf) as [number, number, number];
  const [first, second, taken] = servers as [Server, Server, Server];
  t.teardown(() => closed(taken));
  await Promise.all([closed(first), closed(second)]);
  const at = (port: number) => ({ listen: `127.0.0.1:${port}` });
  const site = newSite({ submission: at(submission), inbound: at(inbound), admin: at(admin), log: { level: 'error' } });
  t.teardown(() => site.close());
  const house = await openHouse({ file: site.configFile, create: true, env: {} });
  await t.rejects(startGate(house), { message: /^admin\.listen: cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\)/ });
  for (const port of [submission, inbound]) await closed(await listening(port));
  await house.close();
  t.match(await site.cli('serve'), { code: 1, stdout: '', stderr: /postern: admin\.listen: cannot listen on/ });
  for (const port of [submission, inbound]) await closed(await listening(port));
});

t.test('a file that the configuration names and that is not there ends the start, not the first request for it', async t => {
  const at = { listen: '127.0.0.1:0' };
  for (const [key, parts] of [
    ['admin.policyFile', { admin: { ...at, policyVersion: '1', policyFile: './nowhere' } }],
    ['inbound.rules', { inbound: { ...at, rules: './nowhere' } }],
  ] as const) {
    const site = newSite({ submission: at, log: { level: 'error' }, ...parts });
    t.teardown(() => site.close());
    const { code, stderr } = await site.cli('serve');
    t.equal(code, 1, key);
    t.match(stderr, `postern: ${key}: `);
    t.match(stderr, 'nowhere cannot be read (ENOENT)');
  }
});
