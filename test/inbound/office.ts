/** Where mail comes back to, on real parts in a folder of the test's own: two clients, what they sent, lists, ledger, log, and the processor. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Audit } from '../../src/audit/audit.ts';
import { Clients } from '../../src/clients/clients.ts';
import { foundStore } from '../../src/founding.ts';
import type { CampaignId, ClientId } from '../../src/ids.ts';
import { loadClassifier } from '../../src/inbound/classify.ts';
import { Destinations } from '../../src/inbound/destinations.ts';
import { type Finding, finding } from '../../src/inbound/finding.ts';
import { InboundProcessor, type ProcessorParts } from '../../src/inbound/processing.ts';
import type { Arrival, Destination, Processed } from '../../src/inbound/processor.ts';
import { Pseudonyms } from '../../src/journal/pseudonyms.ts';
import { StoredReplies } from '../../src/journal/replies.ts';
import type { LoggedReply } from '../../src/journal/reply.ts';
import { Requests } from '../../src/journal/requests.ts';
import { readStats } from '../../src/journal/stats.ts';
import { StoredSends } from '../../src/journal/stored-sends.ts';
import { Digests } from '../../src/keys/digest.ts';
import { createKeyring, loadKeyring } from '../../src/keys/keyring.ts';
import { Tokens } from '../../src/keys/token.ts';
import { openVault } from '../../src/keys/vault.ts';
import { openLedger } from '../../src/lists/ledger.ts';
import { Lists } from '../../src/lists/lists.ts';
import { scopeName } from '../../src/lists/scope.ts';
import { openStore } from '../../src/store/open.ts';
import { type Change, type Store, StoreUnavailable } from '../../src/store/store.ts';
import { good, input, RULES } from '../clients/house.ts';
import { ACME, address, type TestClock } from '../lists/house.ts';

export { ACME, address, OTHER } from '../lists/house.ts';
export const SPRING = 'spring' as CampaignId;
export const AUTUMN = 'autumn' as CampaignId;
export const DOMAIN = 'mail.postern.example';
export const REPLIES = 'sales@acme.example';

export interface Office {
  readonly dir: string;
  readonly clock: TestClock;
  readonly store: Store;
  readonly lists: Lists;
  readonly ledger: ReturnType<typeof openLedger>;
  readonly replies: StoredReplies;
  readonly clients: Clients;
  readonly processor: InboundProcessor;
  readonly steering: Steering;
  /** Remembers a campaign mail; gives its Message-ID and the token that goes with it. */
  sent(to: string | readonly string[], more?: { client?: ClientId; campaign?: CampaignId; footer?: readonly string[] }): Promise<Sent>;
  /** Processes a mail. */
  receive(mail: Mail): Promise<Processed>;
  /** What binds at the next RCPT. */
  listed(person: string, client?: ClientId, campaigns?: readonly CampaignId[]): Promise<string[]>;
  log(owner?: ClientId | 'global'): Promise<LoggedReply[]>;
  /** kind → how many were received. */
  counts(owner?: ClientId): Promise<Record<string, number>>;
  /** Kind, person, due, statutory. */
  registered(owner?: ClientId | 'global'): Promise<string[][]>;
}

export interface Steering {
  /** True: the store gives no answer, as one that is down. */
  away: boolean;
  /** Asked before each apply; may throw. */
  beforeApply: ((changes: readonly Change[]) => Promise<void> | void) | undefined;
}

export interface Sent {
  readonly id: string;
  readonly messageId: string;
  readonly token: string;
}

export interface Mail {
  readonly from?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly messageId?: string | undefined;
  /** `sales@acme.example` by default. */
  readonly to?: string | Destination;
  readonly via?: string;
  readonly reversePath?: string;
  readonly at?: number;
  /** What it is taken for; else the classifier says. */
  readonly as?: Partial<Finding>;
}

/** A field that says what the mail is to be taken for, where it is what follows that is tested. */
const AS = 'x-test-as';
export const WORDS = 'what the person wrote';

interface Test {
  teardown(done: () => Promise<void>): unknown;
}

let serial = 0;

export async function newOffice(t: Test, storeUrl = 'lmdb:data'): Promise<Office> {
  const dir = await mkdtemp(join(tmpdir(), 'postern-inbound-'));
  const clock: TestClock = { at: Date.parse('2026-11-21T12:30:00Z'), now: () => clock.at };
  const file = join(dir, 'keys/postern.key');
  await createKeyring(file, clock);
  const keyring = await loadKeyring({ file }, clock);
  const vault = openVault(join(dir, 'vault'), { keyring, clock });
  const log = pino({ level: 'silent' });
  const parts = { keyring, vault, clock, log, baseDir: dir, create: true, place: dir };
  const ledger = openLedger('file:ledger/objections.log', parts);
  const admit = async (opened: Store) => {
    await foundStore(opened, { keyring, vault, ledger });
    await ledger.replay(opened);
  };
  const real = await openStore(storeUrl, { create: true, patient: false, baseDir: dir, log, admit, timeoutMs: 5_000 });
  const steering: Steering = { away: false, beforeApply: undefined };
  const store = steered(real, steering);
  const digests = new Digests(keyring);
  const audit = new Audit({ store, keyring, vault, clock, log });
  const lists = new Lists({ store, keyring, digests, vault, ledger, clock, audit });
  const clients = new Clients({ store, keyring, digests, vault, clock, rules: async () => RULES, audit });
  for (const id of ['acme', 'other']) {
    const settings = { replyAddresses: [`sales@${id}.example`], forwardTo: `inbox@${id}.example` };
    good(await clients.add(input(id, settings)));
    for (const campaign of [SPRING, AUTUMN]) good(await clients.addCampaign(id, campaign, []));
  }
  const sends = new StoredSends({ store, digests, vault, clock });
  const tokens = new Tokens(keyring);
  const replies = new StoredReplies({ store, digests, vault, keyring, audit });
  const destinations = new Destinations({ clients, domains: [DOMAIN] });
  const ours = loadClassifier();
  const classifier: ProcessorParts['classifier'] = {
    classify: (message, circumstances) => {
      const [as] = message.all(AS);
      if (as === undefined) return ours.classify(message, circumstances);
      const { kind = 'reply', ...more } = JSON.parse(as) as Partial<Finding>;
      return finding(kind, { ownText: WORDS, ...more });
    },
  };
  const options = { tokenDays: 400, softBounces: { limit: 3, days: 30 } };
  const needs = { store, keyring, digests, lists, clients, sends, tokens, replies, classifier, destinations, options, clock };
  const processor = new InboundProcessor({ ...needs, ourNames: ['gate.postern.example'] });
  const office: Office = {
    dir,
    clock,
    store: real,
    lists,
    ledger,
    replies,
    clients,
    processor,
    steering,
    async sent(to, { client = ACME, campaign, footer = [] } = {}) {
      const id = sends.reserve();
      const messageId = `<${id}@${client}.example>`;
      await sends.remember(id, {
        client,
        campaigns: campaign === undefined ? [SPRING, AUTUMN] : [campaign],
        campaignNamed: campaign !== undefined,
        credential: undefined,
        transaction: 'tx',
        recipients: [to].flat().map(address),
        reversePath: `bounces@${client}.example`,
        messageId,
        footer,
      });
      return { id, messageId, token: tokens.make(client, id) };
    },
    async receive(mail) {
      return processor.process(await arrivalOf(mail, destinations, clock.at));
    },
    async listed(person, client = ACME, campaigns = [SPRING]) {
      const standing = await lists.standing(address(person), client, campaigns);
      return standing.flatMap(({ list, scope, acts }) => acts.map(({ reason }) => `${list} ${scopeName(scope)} ${reason}`)).sort();
    },
    async log(owner = ACME) {
      const lines: LoggedReply[] = [];
      for await (const line of replies.list(owner)) lines.push(line);
      return lines;
    },
    async counts(owner = ACME) {
      return (await readStats(store, { owners: [owner], groupBy: [] })).received;
    },
    async registered(owner = ACME) {
      const rows: string[][] = [];
      for await (const { kind, people, dueAt, statutoryBy } of new Requests(store, keyring).list(owner)) {
        const persons = await Promise.all(people.map(pseudonym => new Pseudonyms(store, digests, vault).person(owner, pseudonym)));
        rows.push([kind, persons.join(), ...[dueAt, statutoryBy].map(at => new Date(at).toISOString())]);
      }
      return rows.sort();
    },
  };
  t.teardown(async () => {
    await ledger.close();
    await real.close();
    await vault.close();
    await rm(dir, { recursive: true, force: true });
  });
  return office;
}

export async function arrivalOf(mail: Mail, destinations: Destinations, now: number): Promise<Arrival> {
  const { from = 'Jane <jane@widgets.example>', headers = [], body = 'Hello.', to = REPLIES, via = 'smtp', reversePath = '' } = mail;
  serial += 1;
  const messageId = 'messageId' in mail ? mail.messageId : `<${serial}@widgets.example>`;
  const lines = [
    ...(from === '' ? [] : [`From: ${from}`]),
    ...(messageId === undefined ? [] : [`Message-ID: ${messageId}`]),
    'Subject: Re: Offer',
    ...(mail.as === undefined ? [] : [`${AS}: ${JSON.stringify(mail.as)}`]),
    ...headers,
  ];
  const octets = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}\r\n`);
  const destination = typeof to === 'string' ? await destinations.of(address(to)) : to;
  if (destination === undefined) throw new Error(`${to} is none of ours`);
  return { octets, at: mail.at ?? now, via, reversePath, destination };
}

function steered(real: Store, steering: Steering): Store {
  const there = () => {
    if (steering.away) throw new StoreUnavailable('The store is away');
  };
  return {
    find: async keys => {
      there();
      return real.find(keys);
    },
    apply: async (changes, expect) => {
      there();
      await steering.beforeApply?.(changes);
      return real.apply(changes, expect);
    },
    async *scan(range) {
      there();
      yield* real.scan(range);
    },
    isEmpty: () => real.isEmpty(),
    inspect: () => real.inspect(),
    ping: () => real.ping(),
    close: () => real.close(),
  };
}
