/** The golden dialogues of what comes back, `test/dialogs/inbound-*.smtp`, on a whole gate; and that each left what it should. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type PlayOptions, playDialogue } from '../dialogs/run.ts';
import { ACME, exclude, type Gatehouse, type GatehouseOptions, good, newGatehouse } from '../submission/gatehouse.ts';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';

const folder = join(import.meta.dirname, '../dialogs');

interface Scene {
  readonly shows: string;
  readonly inbound?: object;
  readonly needsRedis?: true;
  readonly words?: Readonly<Record<string, string>>;
  actions?(g: Gatehouse, redis: TestRedis | undefined): PlayOptions['actions'];
  /** What holds afterwards. */
  after?(t: Test, g: Gatehouse): Promise<void>;
}

/** What the reply log of acme says, oldest first. */
async function logged({ house }: Gatehouse): Promise<string[]> {
  const kinds: string[] = [];
  for await (const { kind, people } of house.replies.list(ACME)) kinds.unshift([kind, ...people].join(' '));
  return kinds;
}

const scenes: Readonly<Record<string, Scene>> = {
  'inbound-messages.smtp': {
    shows: 'A15 A16 A17: taken is logged once and binding, whatever its MIME; loops, bare line ends and size',
    inbound: { maxMessageBytes: 16_384 },
    words: {
      received: Array.from({ length: 31 }, (_, i) => `C: Received: from a by b; hop ${i}`).join('\n'),
      large: `Subject: x\\r\\n\\r\\n${'0123456789\\r\\n'.repeat(1_600)}`,
    },
    async after(t, g) {
      t.match((await logged(g))[0], /^opt-out ann@there\.example/, 'understood');
      t.equal((await logged(g)).filter(line => line.includes('ann@')).length, 1, 'A16: the same twice is one line');
    },
  },
  'inbound-rate.smtp': {
    shows: 'one sender cannot flood',
    inbound: { rate: { perMinute: 2 } },
    actions: ({ later }) => ({ wait: async () => later(1) }),
  },
  'inbound-recipients.smtp': { shows: 'A33: known addresses only; no login; nothing tells who is listed' },
  'inbound-stopping.smtp': {
    shows: 'law 2: what was acknowledged while the service stops is kept',
    actions: ({ gate }) => ({ stop: async () => void gate.stop() }),
    async after(t, g) {
      t.match(await logged(g), [/^opt-out ann@/]);
    },
  },
  'inbound-store-down.smtp': {
    shows: 'law 2: store down',
    needsRedis: true,
    actions: (_, redis) => ({ 'kill-store': async () => redis?.kill() }),
  },
};

t.test('each dialogue has its scene', async t => {
  const files = readdirSync(folder).filter(name => /^inbound-.*\.smtp$/.test(name));
  t.same(files, Object.keys(scenes).sort());
});

for (const [file, scene] of Object.entries(scenes)) {
  t.test(`${file}: ${scene.shows}`, { skip: scene.needsRedis === true && noRedis }, async t => {
    const redis = scene.needsRedis === true ? await startRedis(t) : undefined;
    const inbound = { listen: '127.0.0.1:0', hostname: 'in.acme.example', domains: ['in.acme.example'], ...scene.inbound };
    const store = redis === undefined ? {} : { store: { url: redis.url } };
    const options: GatehouseOptions = { settings: { inbound, ...store } };
    const g = await newGatehouse(t, options);
    const { clients } = g.house;
    good(await clients.update('acme', { replyAddresses: ['news@acme.example'] }));
    good(await clients.update('other', { replyAddresses: ['gone@other.example'] }));
    good(await clients.remove('other'));
    await exclude(g.house, 'acme', 'listed@there.example');
    const text = readFileSync(join(folder, file), 'utf8').replace(
      /\{([a-z]+)\}/g,
      (_all, word: string) => scene.words?.[word] ?? `no word ${word}`,
    );
    const heard = await playDialogue(text, g.gate.inbound[0]?.port ?? 0, { actions: scene.actions?.(g, redis) ?? {} });
    for (const line of heard) t.notMatch(line, /excluded|suppressed|listed|acme\/|opt-out/i, `law 8: ${line} tells nothing`);
    await scene.after?.(t, g);
  });
}
