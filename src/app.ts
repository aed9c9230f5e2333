/** The composition root: the only file that knows all parts. A house is what commands work on; a gate is what mail passes. */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { createChecks, registry } from './checks/index.ts';
import { Clients } from './clients/clients.ts';
import { type Config, type Loaded, loadConfig } from './config.ts';
import { admission, keyringFor } from './founding.ts';
import type { ClientId } from './ids.ts';
import { loadClassifier } from './inbound/classify.ts';
import { Destinations } from './inbound/destinations.ts';
import { Forwarding } from './inbound/forward.ts';
import { InboundGate } from './inbound/gate.ts';
import { startMailboxes } from './inbound/mailbox.ts';
import { InboundProcessor } from './inbound/processing.ts';
import { Waiting } from './inbound/waiting.ts';
import { Decisions, Journal, type JournalParts } from './journal/journal.ts';
import { type Pending, StoredPending } from './journal/pending.ts';
import { StoredReplies } from './journal/replies.ts';
import { SoftBounces } from './journal/soft-bounces.ts';
import { StoredSends } from './journal/stored-sends.ts';
import { Digests } from './keys/digest.ts';
import type { Keyring } from './keys/keyring.ts';
import { Tokens } from './keys/token.ts';
import { defaultVault, openVault } from './keys/vault.ts';
import { type Ledger, openLedger } from './lists/ledger.ts';
import { Lists } from './lists/lists.ts';
import { type Clock, systemClock } from './ops/clock.ts';
import { createLog, type Logger } from './ops/log.ts';
import { regularly } from './ops/regularly.ts';
import { buildPolicies, type Policies } from './policy/policy.ts';
import { CREDENTIAL_ONLY, type PolicySettings, policySettings } from './policy/settings.ts';
import { inMilliseconds } from './relay/options.ts';
import { Upstreams } from './relay/upstreams.ts';
import { parseUpstreamUrl } from './relay/url.ts';
import { ByteBudget } from './smtp/budget.ts';
import { type Listener, startListener } from './smtp/listener.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';
import { SubmissionGate } from './submission/gate.ts';
import { TrackedLinks } from './watch/tracked-links.ts';

/** The configuration cannot be used: every problem, each naming its key and the fix. */
export class ConfigProblems extends Error {
  override readonly name = 'ConfigProblems';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export interface HouseOptions {
  /** The configuration file, as given. */
  readonly file?: string | undefined;
  /** A store that was never used may be founded. */
  readonly create?: boolean;
  /** A server waits for a store that is down; a command fails. */
  readonly patient?: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly clock?: Clock;
}

/** The store, and everything that stands on it. */
export interface House {
  readonly config: Config;
  readonly baseDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly lists: Lists;
  readonly clients: Clients;
  readonly decisions: Decisions;
  readonly sends: StoredSends;
  readonly replies: StoredReplies;
  readonly pending: Pending;
  readonly tokens: Tokens;
  readonly keyring: Keyring;
  readonly settings: PolicySettings;
  /** What a journal is made of; only a gate writes one. */
  readonly journalParts: JournalParts;
  close(): Promise<void>;
}

/** @throws ConfigProblems */
export function readConfig({ file, env = process.env, cwd = process.cwd() }: HouseOptions): Loaded & { readonly settings: PolicySettings } {
  const loaded = loadConfig({ file, env, cwd, checks: registry.map(({ name }) => name) });
  if ('problems' in loaded) throw new ConfigProblems(loaded.problems);
  const policies = policySettings(registry, loaded.config.policies);
  if ('problems' in policies) throw new ConfigProblems(policies.problems);
  return { ...loaded, settings: policies.settings };
}

/** @throws ConfigProblems, KeyringProblem, StoreMissing, StoreRefused, StoreUnavailable (where the vault gives no answer, too) */
export async function openHouse(options: HouseOptions): Promise<House> {
  const { create = false, patient = false, clock = systemClock } = options;
  const { config, baseDir, settings } = readConfig(options);
  const log = createLog(config.log.level);
  const open = { create, baseDir, log };
  const keys = { file: resolve(baseDir, config.keys.file), master: config.keys.master };
  const keyring = await keyringFor({ storeUrl: config.store.url, open, keys, clock, log });
  const vaultAt = config.keys.vault ?? defaultVault(keys.file);
  const vault = openVault(/^rediss?:/.test(vaultAt) ? vaultAt : resolve(baseDir, vaultAt), { keyring, clock });
  const place = config.store.url.startsWith('lmdb:') ? { place: 'embedded' } : {};
  const ledger = openLedger(config.ledger.url, { keyring, vault, clock, log, baseDir, create, ...place });
  let store: Store;
  try {
    store = await openStore(config.store.url, { ...open, patient, admit: admission({ keyring, vault, ledger, patient, create }) });
  } catch (error) {
    await ledger.close();
    await vault.close();
    throw error;
  }
  const digests = new Digests(keyring);
  const lists = new Lists({ store, keyring, digests, vault, ledger, clock });
  const rules = { policies: [...settings.keys()], credentialOnly: CREDENTIAL_ONLY, upstreamProblem };
  const clients = new Clients({ store, keyring, digests, vault, clock, rules });
  const journalParts = { store, digests, vault, sealer: keyring.sealer('journal'), clock, log };
  return {
    config,
    baseDir,
    clock,
    log,
    store,
    ledger,
    lists,
    clients,
    decisions: new Decisions(journalParts),
    sends: new StoredSends(journalParts),
    replies: new StoredReplies({ store, digests, vault, keyring }),
    pending: new StoredPending({ store, clock }),
    tokens: new Tokens(keyring),
    keyring,
    settings,
    journalParts,
    async close() {
      await ledger.close(store);
      await store.close();
      await vault.close();
    },
  };
}

function upstreamProblem(url: string): string | undefined {
  const target = parseUpstreamUrl(url);
  return 'problem' in target ? target.problem : undefined;
}

/** The policies of this configuration, ready to be asked. */
export function policiesOf(house: House, tracked: Pick<TrackedLinks, 'judge'>): Policies {
  return buildPolicies(house.settings, createChecks({ lists: house.lists, tracked, replies: house.replies }), house);
}

/** The upstreams of this configuration; nothing is connected yet. */
export function upstreamsOf({ config, clock, log }: House): Upstreams {
  const { url, connections, messagesPerConnection, timeouts } = config.upstream;
  return new Upstreams(url, {
    connections,
    messagesPerConnection,
    timeouts: inMilliseconds(timeouts),
    hostname: config.submission.hostname,
    clock,
    log,
  });
}

/** How long beyond the limit of a stop a message on its way upstream may wait for its reply: longer than a closing upstream takes. */
const VERDICT_MS = 6_000;

export interface RunningGate {
  readonly addresses: Listener['addresses'];
  /** Where mail that comes back is taken; empty where none is. */
  readonly inbound: Listener['addresses'];
  reloadCertificates(): void;
  /** Takes nothing new, lets running transactions finish for `submission.stopSeconds`, writes the journal, and hangs up. */
  stop(): Promise<void>;
  /** The journal, for whoever wants to read what was just decided. */
  readonly journal: Journal;
}

/** Opens the gate. @throws Error naming the configuration key of an address, certificate or upstream that is not usable */
export async function startGate(house: House): Promise<RunningGate> {
  const { config, clock, log, baseDir, clients } = house;
  const { submission } = config;
  const journal = new Journal(house.journalParts);
  const tracked = new TrackedLinks({ store: house.store, clock, log });
  const upstreams = upstreamsOf(house);
  // What one process may use of a limit that holds for all workers together.
  const share = (limit: number): number => Math.ceil(limit / submission.workers);
  const gate = new SubmissionGate({
    clients,
    policies: policiesOf(house, tracked),
    upstreams,
    journal,
    sends: house.sends,
    tokens: house.tokens,
    hostname: submission.hostname,
    options: submission,
    clock,
    log,
  });
  const listener = await startListener({
    listen: submission.listen,
    hostname: submission.hostname,
    tls: submission.tls,
    baseDir,
    maxMessageBytes: submission.maxMessageBytes,
    maxRecipients: submission.maxRecipients,
    maxSessions: share(submission.maxSessions),
    proxyProtocol: submission.proxyProtocol,
    xclient: submission.xclient,
    budget: new ByteBudget(share(submission.byteBudget)),
    gate,
    log,
    clock,
  });
  const returns = await startReturns(house, upstreams).catch(async error => {
    await listener.stop(0);
    throw error;
  });
  return {
    addresses: listener.addresses,
    inbound: returns.addresses,
    reloadCertificates() {
      listener.reloadCertificates();
      returns.reloadCertificates();
    },
    journal,
    async stop() {
      const limitMs = submission.stopSeconds * 1000;
      let closing: Promise<void> | undefined;
      const close = (): Promise<void> => {
        closing ??= upstreams.close();
        return closing;
      };
      // Before the listener gives up: what the upstream does not answer even then is cut, and its sender still told so.
      const late = setTimeout(() => void close(), limitMs);
      await Promise.all([listener.stop(limitMs, VERDICT_MS), returns.stop(limitMs)]);
      clearTimeout(late);
      await tracked.close();
      await close();
      await journal.close();
    },
  };
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

interface Returns extends Pick<Listener, 'addresses' | 'reloadCertificates'> {
  stop(limitMs: number): Promise<void>;
}

/** Opens what takes what comes back: listener and mailboxes, and the work that is due now and then. */
async function startReturns(house: House, upstreams: Upstreams): Promise<Returns> {
  const { clients, sends, tokens, pending, store, clock, log, baseDir } = house;
  const { inbound, submission } = house.config;
  const { digests } = house.journalParts;
  const hostname = inbound.hostname ?? submission.hostname;
  const share = (limit: number): number => Math.ceil(limit / submission.workers);
  const destinations = new Destinations({ clients, domains: inbound.domains });
  const processor = new InboundProcessor({
    ...house,
    digests,
    classifier: loadClassifier(inbound.rules === undefined ? undefined : resolve(baseDir, inbound.rules)),
    destinations,
    options: inbound,
    ourNames: [submission.hostname, hostname],
  });
  const loops = {
    mark: (client: ClientId) => tokens.make(client, sends.reserve()),
    isOurs: (mark: string) => tokens.read(mark) !== undefined,
  };
  const waiting = new Waiting(clock);
  const listener = await startListener({
    ...inbound,
    section: 'inbound',
    listen: inbound.listen === 'off' ? [] : inbound.listen,
    hostname,
    tls: inbound.tls.cert === undefined && inbound.tls.key === undefined ? submission.tls : inbound.tls,
    baseDir,
    maxSessions: share(inbound.maxSessions),
    budget: new ByteBudget(share(inbound.byteBudget)),
    gate: new InboundGate({
      destinations,
      processor,
      forwarding: new Forwarding({ ...house, upstreams, destinations, loops, hostname }),
      waiting,
      perMinute: share(inbound.rate.perMinute),
      clock,
      log,
    }),
    withoutAuth: true,
    log,
    clock,
  });
  const mailboxes = startMailboxes({
    ...house,
    mailboxes: inbound.mailboxes,
    maxMessageBytes: inbound.maxMessageBytes,
    processor,
    digests,
    replyAddresses: async client => (await clients.profile(client))?.replyAddresses ?? [],
  });
  const source = `smtp ${randomUUID()}`;
  let noted: number | undefined;
  const noting = regularly(MINUTE_MS, 'noting what waits', log, async () => {
    const oldestAt = waiting.oldest();
    if (oldestAt === undefined && noted === undefined) return;
    await pending.note(source, { oldestAt, unreadableSince: undefined });
    noted = oldestAt;
  });
  const softBounces = new SoftBounces(store, digests);
  const purging = regularly(HOUR_MS, 'purging sends', log, async () => {
    for (const { id } of await clients.list()) {
      await sends.purge(id, clock.now() - inbound.sendDays * DAY_MS);
      await softBounces.purge(id, clock.now() - inbound.softBounces.days * DAY_MS);
    }
  });
  return {
    addresses: listener.addresses,
    reloadCertificates: () => listener.reloadCertificates(),
    async stop(limitMs) {
      await Promise.all([listener.stop(limitMs, VERDICT_MS), mailboxes.stop(), noting.stop(), purging.stop()]);
    },
  };
}
