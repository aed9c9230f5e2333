/** Delivering, on a real store over real HTTP: slow endpoints keep nobody else waiting, dead ones fill no store, and what fails for days is switched off. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { type House, openHouse } from '../../src/app.ts';
import { Deliverer } from '../../src/hooks/deliverer.ts';
import { type Endpoint, MAX_ENDPOINTS } from '../../src/hooks/endpoints.ts';
import { type ClientId, clientId } from '../../src/ids.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/until.ts';
import { startReceiver } from './receiver.ts';

const WHO = { by: 'test', from: 'cli' };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Postroom {
  readonly house: House;
  readonly clock: { offset: number; now(): number };
  /** How many of each result were counted. */
  readonly counted: Record<string, number>;
  client(name: string): Promise<ClientId>;
  endpoint(client: ClientId, url: string): Promise<Endpoint>;
  /** One event for each of the client's endpoints. */
  tell(client: ClientId, ref?: string): Promise<void>;
  /** The endpoint and how it stands with it. */
  look(client: ClientId, id: string): Promise<Partial<Endpoint> & Awaited<ReturnType<House['standings']['of']>>[number]>;
}

async function postroom(t: Test, webhooks: object = {}): Promise<Postroom> {
  const dir = mkdtempSync(join(tmpdir(), 'postern-hooks-'));
  const file = join(dir, 'postern.yaml');
  writeFileSync(file, stringify({ log: { level: 'silent' }, webhooks: { loopback: true, timeoutSeconds: 60, ...webhooks } }));
  const clock = { offset: 0, now: () => Date.now() + clock.offset };
  const house = await openHouse({ file, create: true, env: {}, cwd: dir, clock });
  const counted: Record<string, number> = {};
  const count = (result: string, n = 1): void => {
    counted[result] = (counted[result] ?? 0) + n;
  };
  const deliverer = new Deliverer({ ...house, options: house.config.webhooks, count, erased: async () => false });
  t.teardown(async () => {
    await deliverer.stop();
    await house.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return {
    house,
    clock,
    counted,
    async client(name) {
      const about = { privacyUrls: [`https://www.${name}.example/privacy`], fromDomains: [`${name}.example`] };
      await house.clients.add({ id: name, name, ...about });
      return clientId(name) as ClientId;
    },
    async endpoint(client, url) {
      const made = await house.endpoints.add(client, url, ['email.refused'], WHO);
      if (made === 'full' || 'problem' in made) throw new Error('no endpoint');
      return made;
    },
    tell: (client, ref) => house.outbox.tell(client, [{ type: 'email.refused', data: { ref } }]),
    async look(client, id) {
      return { ...(await house.endpoints.find(client, id)), ...(await house.standings.of([id]))[0] };
    },
  };
}

t.test('75 endpoints that hang keep nobody waiting who answers', async t => {
  const room = await postroom(t);
  const asked = new Set<string>();
  let over = 0;
  const hanging = createServer((request, response) => {
    asked.add(String(request.url));
    response.on('close', () => {
      over += 1;
    });
  }).listen(0, '127.0.0.1');
  await once(hanging, 'listening');
  t.teardown(() => hanging.closeAllConnections());
  t.teardown(() => hanging.close());
  const { port } = hanging.address() as AddressInfo;
  for (let n = 0; n < 75 / MAX_ENDPOINTS; n++) {
    const client = await room.client(`slow${n}`);
    for (let i = 0; i < MAX_ENDPOINTS; i++) await room.endpoint(client, `http://127.0.0.1:${port}/${n}/${i}`);
    await room.tell(client);
  }
  await until('all of them are asked at once, though they hang', () => asked.size === 75);
  const good = await room.client('good');
  const receiver = await startReceiver();
  t.teardown(() => receiver.close());
  const endpoint = await room.endpoint(good, receiver.url);
  receiver.secret = endpoint.secrets[0]?.secret ?? '';
  for (let i = 0; i < 100; i++) await room.tell(good, `r${i}`);
  await until('all are told', () => receiver.told.length >= 100);
  t.equal(new Set(receiver.told.map(({ id }) => id)).size, 100);
  t.equal(receiver.forged, 0);
  t.equal(over, 0, 'none of the others had answered, nor was given up');
});

t.test('an endpoint that takes nothing is asked a few times, not for each event that waits', async t => {
  const room = await postroom(t);
  const client = await room.client('acme');
  let asked = 0;
  const broken = createServer((_, response) => {
    asked += 1;
    response.writeHead(500).end();
  }).listen(0, '127.0.0.1');
  await once(broken, 'listening');
  t.teardown(() => broken.close());
  const { id } = await room.endpoint(client, `http://127.0.0.1:${(broken.address() as AddressInfo).port}/`);
  for (let i = 0; i < 300; i++) await room.tell(client);
  const failing = await until('it is known to fail', async () => {
    const { failingSince, waiting } = await room.look(client, id);
    return failingSince !== undefined && waiting === 300 ? failingSince : undefined;
  });
  t.ok(failing <= room.clock.now());
  t.ok(asked < 50, `asked ${asked} times`);
});

t.test('what is kept for an endpoint is bounded: the oldest are dropped and counted; switched off, it forgets', async t => {
  const room = await postroom(t, { maxQueued: 100 });
  const client = await room.client('acme');
  const { id } = await room.endpoint(client, `http://127.0.0.1:${await freePort()}/`);
  for (let i = 0; i < 50; i++) await room.tell(client, 'old');
  room.clock.offset += 1_000;
  for (let i = 0; i < 100; i++) await room.tell(client, 'new');
  const full = await until('too many are dropped', async () => {
    const found = await room.look(client, id);
    return found.dropped === 50 ? found : undefined;
  });
  t.match(full, { dropped: 50, waiting: 100, dead: 0, droppedSince: Number });
  t.equal(room.counted.dropped, 50);
  const kept = async (state: 'waiting' | 'dead') => (await room.house.outbox.page(client, id, state, { limit: 1_000 })).items;
  t.ok((await kept('waiting')).every(({ event }) => event.data.ref === 'new'));

  await room.house.endpoints.update(client, id, { disabled: true }, WHO);
  await room.tell(client, 'unheard');
  t.equal((await kept('waiting')).length, 100, 'nothing is queued for what is switched off, and what waits goes on waiting');
  room.clock.offset += 31 * DAY;
  await until('it is forgotten in the end', async () => (await room.look(client, id)).waiting === 0);
  t.same(await kept('waiting'), []);
});

t.test('pages of what waits follow each other without a gap', async t => {
  const room = await postroom(t);
  const client = await room.client('acme');
  const { id } = await room.endpoint(client, `http://127.0.0.1:${await freePort()}/`);
  await room.house.endpoints.update(client, id, { disabled: true }, WHO);
  await room.house.endpoints.update(client, id, { disabled: false }, WHO);
  await room.house.endpoints.switchOff(client, id, 'failing');
  const endpoint = (await room.house.endpoints.find(client, id)) as Endpoint;
  const made: string[] = [];
  for (let i = 0; i < 7; i++) made.push(await room.house.outbox.test(client, endpoint));
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await room.house.outbox.page(client, id, 'waiting', { limit: 3, after });
    t.ok(page.items.length > 0, 'no page is empty');
    seen.push(...page.items.map(({ event }) => event.id));
    after = page.next;
  } while (after !== undefined);
  t.same(seen.sort(), made.sort());
});

t.test('A18: what fails for days is switched off, on record; switched on again it begins anew', async t => {
  const room = await postroom(t, { failingDays: 2 });
  const client = await room.client('acme');
  const { id } = await room.endpoint(client, `http://127.0.0.1:${await freePort()}/`);
  const failed = async (): Promise<void> => {
    const before = room.counted.failed ?? 0;
    await room.tell(client);
    await until('an attempt has failed', () => (room.counted.failed ?? 0) > before);
  };
  await failed();
  t.equal((await room.house.endpoints.find(client, id))?.disabled, undefined);
  room.clock.offset += 30 * HOUR;
  await failed();
  room.clock.offset += 30 * HOUR;
  await failed();
  const off = await until('it is switched off', async () => {
    // Where the last failure began before the clock was moved, the next one waits for its time.
    room.clock.offset += HOUR;
    const found = await room.look(client, id);
    return found.disabled === undefined ? undefined : found;
  });
  t.equal(off.disabled, 'failing');
  const lines = [];
  for await (const line of room.house.audit.list(client)) lines.push(line);
  t.match(lines[0], { what: 'webhook.switch-off', by: 'postern', about: { webhook: id, because: 'failing' } });

  await room.house.endpoints.update(client, id, { disabled: false }, WHO);
  await failed();
  const again = await until('it fails anew', async () => {
    const found = await room.look(client, id);
    return found.failingSince !== off.failingSince ? found : undefined;
  });
  t.equal(again.disabled, undefined, 'what was before it was switched on counts no more');
});

t.test('of an endpoint that is removed nothing stays, whatever was still written for it', async t => {
  const room = await postroom(t);
  const client = await room.client('acme');
  const endpoint = await room.endpoint(client, `http://127.0.0.1:${await freePort()}/`);
  await room.tell(client);
  await until('it is counted', async () => (await room.look(client, endpoint.id)).waiting === 1);
  await room.house.endpoints.remove(client, endpoint.id, WHO);
  await room.house.outbox.test(client, endpoint);
  const left = async () => (await room.house.outbox.count(client, endpoint.id)).waiting.length;
  await until('its events are forgotten', async () => (await left()) === 0);
  t.same(await room.house.endpoints.of(client), []);
  room.clock.offset += 2 * 60_000;
  await until('it is forgotten', async () => (await room.house.standings.count(endpoint.id)) === undefined);
});
