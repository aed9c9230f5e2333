/** The house: the store and everything that stands on it, built from the configuration; what commands work on, and a gate. */
import { resolve } from 'node:path';
import { Accounts } from './accounts/accounts.ts';
import { Audit } from './audit/audit.ts';
import { createChecks, registry } from './checks/index.ts';
import { Clients } from './clients/clients.ts';
import { type Config, type Loaded, loadConfig } from './config.ts';
import { admission, keyringFor } from './founding.ts';
import { Endpoints } from './hooks/endpoints.ts';
import { Outbox } from './hooks/outbox.ts';
import { Standings } from './hooks/standing.ts';
import { Decisions } from './journal/decisions.ts';
import type { JournalParts } from './journal/journal.ts';
import { type Pending, StoredPending } from './journal/pending.ts';
import { StoredReplies } from './journal/replies.ts';
import { StoredSends } from './journal/stored-sends.ts';
import { Digests } from './keys/digest.ts';
import type { Keyring } from './keys/keyring.ts';
import { Tokens } from './keys/token.ts';
import { defaultVault, openVault, type Vault } from './keys/vault.ts';
import { type Ledger, openLedger } from './lists/ledger.ts';
import { Lists } from './lists/lists.ts';
import { type Clock, systemClock } from './ops/clock.ts';
import { createLog, type Logger } from './ops/log.ts';
import { Metrics } from './ops/metrics.ts';
import { PolicyBook } from './policy/book.ts';
import { CurrentPolicies } from './policy/current.ts';
import { CREDENTIAL_ONLY, policySettings } from './policy/settings.ts';
import { inMilliseconds } from './relay/options.ts';
import { Upstreams } from './relay/upstreams.ts';
import { parseUpstreamUrl } from './relay/url.ts';
import { measuredStore } from './store/measured.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';
import { Alerts } from './watch/alerts.ts';
import type { TrackedLinks } from './watch/tracked-links.ts';

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
  /** How it was opened: what another process of this gate opens the same house with. */
  readonly openedWith: HouseOptions;
  readonly config: Config;
  readonly baseDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly alerts: Alerts;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly lists: Lists;
  readonly clients: Clients;
  readonly audit: Audit;
  readonly endpoints: Endpoints;
  readonly outbox: Outbox;
  readonly standings: Standings;
  readonly accounts: Accounts;
  readonly decisions: Decisions;
  readonly sends: StoredSends;
  readonly replies: StoredReplies;
  readonly pending: Pending;
  readonly tokens: Tokens;
  readonly keyring: Keyring;
  readonly vault: Vault;
  readonly policyBook: PolicyBook;
  /** What a journal is made of; only a gate writes one. */
  readonly journalParts: JournalParts;
  close(): Promise<void>;
}

/** @throws ConfigProblems */
export function readConfig({ file, env = process.env, cwd = process.cwd() }: HouseOptions): Loaded {
  const loaded = loadConfig({ file, env, cwd, checks: registry.map(({ name }) => name) });
  if ('problems' in loaded) throw new ConfigProblems(loaded.problems);
  const policies = policySettings(registry, loaded.config.policies);
  if ('problems' in policies) throw new ConfigProblems(policies.problems);
  return loaded;
}

/** @throws ConfigProblems, KeyringProblem, StoreMissing, StoreRefused, StoreUnavailable (where the vault gives no answer, too) */
export async function openHouse(options: HouseOptions): Promise<House> {
  const { create = false, patient = false, clock = systemClock } = options;
  const { config, baseDir } = readConfig(options);
  const metrics = new Metrics(config.metrics);
  const log = createLog(config.log.level, undefined, alarm => metrics.alarms.inc({ alarm }));
  const open = { create, baseDir, log };
  const keys = { file: resolve(baseDir, config.keys.file), master: config.keys.master };
  const keyring = await keyringFor({ storeUrl: config.store.url, open, keys, clock, log });
  const vaultAt = config.keys.vault ?? defaultVault(keys.file);
  const vault = openVault(/^rediss?:/.test(vaultAt) ? vaultAt : resolve(baseDir, vaultAt), { keyring, clock });
  const embedded = config.store.url.startsWith('lmdb:') ? { place: 'embedded', lasting: true } : {};
  const ledger = openLedger(config.ledger.url, { keyring, vault, clock, log, baseDir, create, ...embedded });
  let store: Store;
  try {
    const admit = admission({ keyring, vault, ledger, patient, create });
    store = measuredStore(await openStore(config.store.url, { ...open, patient, admit }), metrics);
  } catch (error) {
    await ledger.close();
    await vault.close();
    throw error;
  }
  const digests = new Digests(keyring);
  const audit = new Audit({ store, keyring, vault, clock, log });
  const endpoints = new Endpoints({ store, vault, audit, clock, loopback: config.webhooks.loopback });
  const outbox = new Outbox({ store, vault, endpoints, clock });
  const standings = new Standings(store);
  const lists = new Lists({ store, keyring, digests, vault, ledger, clock, audit, outbox });
  const policyBook = new PolicyBook({ store, keyring, audit, clock, log, definitions: registry, config: config.policies });
  const rules = async () => ({
    policies: [...(await policyBook.now()).policies.keys()],
    credentialOnly: CREDENTIAL_ONLY,
    upstreamProblem,
  });
  const clients = new Clients({ store, keyring, digests, vault, clock, rules, audit });
  const journalParts = { store, digests, vault, sealer: keyring.sealer('journal'), clock, log, outbox };
  return {
    openedWith: options,
    config,
    baseDir,
    clock,
    log,
    metrics,
    alerts: new Alerts({ options: config.alerts, clock, log }),
    store,
    ledger,
    lists,
    clients,
    audit,
    endpoints,
    outbox,
    standings,
    accounts: new Accounts({ store, keyring, digests, clock, audit, log }),
    decisions: new Decisions(journalParts),
    sends: new StoredSends(journalParts),
    replies: new StoredReplies({ store, digests, vault, keyring, audit }),
    pending: new StoredPending({ store, clock }),
    tokens: new Tokens(keyring),
    keyring,
    vault,
    policyBook,
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

/** The policies as they hold, ready to be asked. */
export function policiesOf(house: House, tracked: Pick<TrackedLinks, 'judge'>): CurrentPolicies {
  return new CurrentPolicies(house.policyBook, createChecks({ lists: house.lists, tracked, replies: house.replies }), house);
}

/** The upstreams of this configuration; nothing is connected yet. */
export function upstreamsOf({ config, clock, log, metrics }: House): Upstreams {
  const { url, connections, messagesPerConnection, timeouts } = config.upstream;
  const parts = {
    connections,
    messagesPerConnection,
    timeouts: inMilliseconds(timeouts),
    hostname: config.submission.hostname,
    clock,
    log,
  };
  return new Upstreams(url, parts, metrics);
}
