/** The gate's golden dialogues, `test/dialogs/submission-*.smtp`: every row of DESIGN §6, on a whole gate; and that each refusal is explained. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseDecisionId } from '../../src/journal/ref.ts';
import { type PlayOptions, playDialogue } from '../dialogs/run.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import type { SinkEvent, SinkOptions } from '../support/sink.ts';
import { ACME, exclude, type Gatehouse, type GatehouseOptions, good, newGatehouse, OTHER, send, suppress } from './gatehouse.ts';

const folder = join(import.meta.dirname, '../dialogs');

interface Scene {
  /** Promise ids and the rows of DESIGN §6 that the dialogue shows. */
  readonly shows: string;
  readonly options?: GatehouseOptions;
  readonly needsRedis?: true;
  /** Makes what the dialogue speaks of; gives its actions, and the words for its `{placeholders}`. */
  prepare?(g: Gatehouse, t: Test): Promise<Stage>;
}

interface Stage {
  readonly actions?: PlayOptions['actions'];
  readonly words?: Readonly<Record<string, string>>;
  /** The store is gone for good: its decisions cannot be read. */
  readonly mute?: true;
}

const scenes: Readonly<Record<string, Scene>> = {
  'submission-recipients.smtp': {
    shows: 'A1 A4 A19: listed, suppressed, personal',
    async prepare({ house }) {
      await exclude(house, 'acme', 'listed@example.net');
      await exclude(house, 'acme', 'listed.example');
      await exclude(house, 'global', 'everywhere@example.net');
      await exclude(house, 'other', 'elsewhere@example.net');
      await suppress(house, 'other', 'elsewhere@example.net', { reason: 'objection', source: 'recipient' });
      await suppress(house, 'acme', 'objected@example.net', { reason: 'objection', source: 'recipient' });
      await suppress(house, 'global', 'erased@example.net', { reason: 'erasure', source: 'operator' });
      return {};
    },
  },
  'submission-messages.smtp': {
    shows: 'A1 A13 A33 B3: sender, campaign, privacy-link, opt-out, loop, ambiguous MIME, bare CR or LF',
    async prepare({ house }) {
      good(await house.clients.addCampaign('other', 'others', []));
      await exclude(house, 'acme/spring', 'spring-only@example.net');
      return { words: { received: Array.from({ length: 31 }, (_, i) => `C: Received: from a by b; hop ${i}`).join('\n') } };
    },
  },
  'submission-syntax.smtp': {
    shows: 'A19: syntax, SMTPUTF8, size, null reverse-path',
    options: { submission: { maxMessageBytes: 4096 } },
    async prepare({ house }) {
      await exclude(house, 'acme', 'xn--bcher-kva.example');
      return { words: { large: `Subject: x\\r\\n\\r\\n${'0123456789\\r\\n'.repeat(400)}` } };
    },
  },
  'submission-auth.smtp': {
    shows: 'A29 A30 A33: no AUTH, in clear, bad, wrong IP, disabled meanwhile',
    async prepare({ house }) {
      good(await house.clients.disableCredential('robot'));
      return { words: await logins(house), actions: { disable: () => house.clients.disableCredential('desk') } };
    },
  },
  'submission-disabled.smtp': {
    shows: 'A30: disabled, told only to who knows the password',
    async prepare({ house }) {
      const words = await logins(house);
      good(await house.clients.disableCredential('desk'));
      return { words };
    },
  },
  'submission-removed.smtp': {
    shows: 'A33: client removed within a transaction',
    prepare: async ({ house }) => ({ actions: { remove: () => house.clients.remove('acme') } }),
  },
  'submission-off-target.smtp': {
    shows: 'A10: off-target at RCPT and at the dot',
    async prepare({ house }) {
      good(await house.clients.addCampaign('acme', 'widgets', ['widgets.example']));
      return { words: await logins(house, 'widgets') };
    },
  },
  'submission-upstream-down.smtp': {
    shows: 'upstream down',
    async prepare({ sink }) {
      await sink.close();
      return {};
    },
  },
  'submission-upstream-says.smtp': { shows: "the upstream's replies passed through", options: { sink: { script: upstreamSays } } },
  'submission-store-down.smtp': {
    shows: 'store down',
    needsRedis: true,
    async prepare({ house }, t) {
      const redis = stores.get(t);
      if (redis === undefined) throw new Error('no store');
      await exclude(house, 'acme', 'listed@example.net');
      return { words: await logins(house), actions: { 'kill-store': () => redis.kill() }, mute: true };
    },
  },
  'submission-forgotten.smtp': {
    shows: 'a store that takes no writes: nothing is relayed that is not remembered',
    needsRedis: true,
    async prepare(_g, t) {
      const redis = stores.get(t);
      if (redis === undefined) throw new Error('no store');
      return { actions: { 'refuse-writes': () => redis.takeWrites(false), 'take-writes': () => redis.takeWrites(true) } };
    },
  },
  'submission-stopping.smtp': {
    shows: 'the whole service stops',
    async prepare({ gate }) {
      // Not waited for: it waits for the dialogue.
      return { actions: { stop: async () => void gate.stop() } };
    },
  },
  'submission-limits.smtp': {
    shows: 'byte budget, recipients of one transaction, rate',
    options: { submission: { byteBudget: 1_048_576, maxRecipients: 100, rate: { perMinute: 2 } } },
    async prepare({ later }) {
      const hundred = Array.from({ length: 100 }, (_, i) => `C: RCPT TO:<r${i}@example.net>\nS: 250 2.1.5 Recipient ok`).join('\n');
      return { words: { hundred }, actions: { wait: async () => later(1) } };
    },
  },
  'submission-concurrency.smtp': {
    shows: 'sessions at once',
    options: { submission: { rate: { sessions: 1 } } },
    async prepare(g, t) {
      const first = await g.hello();
      t.teardown(() => first.close());
      t.match(await send(first, ['fine@example.net']), { last: /^250 / });
      return {};
    },
  },
};

const stores = new WeakMap<Test, Awaited<ReturnType<typeof startRedis>>>();

t.test('each dialogue has its scene', async t => {
  const files = readdirSync(folder).filter(name => /^submission-.*\.smtp$/.test(name));
  t.same(files, Object.keys(scenes).sort());
});

for (const [file, scene] of Object.entries(scenes)) {
  t.test(`${file}: ${scene.shows}`, { skip: scene.needsRedis === true && noRedis }, async t => {
    const options = scene.needsRedis === true ? await withRedis(t, scene.options) : scene.options;
    const g = await newGatehouse(t, options);
    const { actions = {}, words = {}, mute = false } = (await scene.prepare?.(g, t)) ?? {};
    const text = readFileSync(join(folder, file), 'utf8').replace(
      /\{([a-z]+)\}/g,
      (_all, word: string) => words[word] ?? `no word ${word}`,
    );
    const heard = await playDialogue(text, g.port, { actions });
    for (const line of heard.filter(said => /^[45]/.test(said))) {
      t.notMatch(line, /global|other|acme|list|erase|object|campaign \w+/i, `law 8, A1: ${line} tells nothing but the token`);
    }
    if (mute) return;
    await g.gate.journal.flush();
    for (const line of heard.filter(said => said.includes(' ref='))) {
      const [, told, ref] = /^(.*) ref=(\S+)$/.exec(line) ?? [];
      const decision = await g.house.decisions.show(parseDecisionId(ref ?? '') ?? ('' as never), [ACME, OTHER]);
      t.match(decision, { reply: told, client: ACME, credential: /./, check: /./, reason: /./ }, `explained: ${line}`);
    }
  });
}

async function withRedis(t: Test, options: GatehouseOptions = {}): Promise<GatehouseOptions> {
  const redis = await startRedis(t);
  stores.set(t, redis);
  return { ...options, settings: { ...options.settings, store: { url: redis.url } } };
}

/** A credential `desk` of acme's with a password, one that is good elsewhere only, and what AUTH PLAIN says for them, right and wrong. */
async function logins({ clients }: Gatehouse['house'], campaign?: string): Promise<Record<string, string>> {
  const desk = good(await clients.addCredential({ client: 'acme', username: 'desk', campaign }));
  const away = good(await clients.addCredential({ client: 'acme', username: 'away', ips: ['192.0.2.0/24'] }));
  const plain = (user: string, password: string | undefined) => Buffer.from(`\0${user}\0${password ?? ''}`).toString('base64');
  return {
    login: plain('desk', desk.password),
    bad: plain('desk', 'wrong'),
    unknown: plain('nobody', desk.password),
    elsewhere: plain('away', away.password),
  };
}

/** Refuses, or goes away, where the reverse-path says so. */
function upstreamSays({ stage, path, transaction }: SinkEvent): ReturnType<NonNullable<SinkOptions['script']>> {
  const [, where, what] = /^([a-z]+)-([45]|lost)@/.exec(stage === 'mail' ? path : (transaction?.from ?? '')) ?? [];
  if (where !== stage) return undefined;
  if (what === 'lost') return { end: 'reset' };
  return `${what === '5' ? '554 5' : '451 4'}.1.2 the upstream on ${where}-${what}`;
}
