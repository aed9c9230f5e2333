/** A journal on real parts, in a folder of the test's own: store, key ring and vault; and a store that a test can take away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { type CampaignId, type ClientId, type CredentialId, clientId } from '../../src/ids.ts';
import type { DecisionInput } from '../../src/journal/decision.ts';
import { Decisions } from '../../src/journal/decisions.ts';
import { Journal, type JournalParts } from '../../src/journal/journal.ts';
import { Digests } from '../../src/keys/digest.ts';
import { createKeyring, loadKeyring } from '../../src/keys/keyring.ts';
import { openVault } from '../../src/keys/vault.ts';
import { isAddress, parseAddress } from '../../src/mail/address.ts';
import { openStore } from '../../src/store/open.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';

export const ACME = clientId('acme') as ClientId;
export const OTHER = clientId('other') as ClientId;

export interface Desk {
  readonly dir: string;
  readonly clock: { at: number; now(): number };
  readonly parts: JournalParts;
  readonly journal: Journal;
  readonly decisions: Decisions;
  /** True: the store gives no answer, as one that is down. */
  away: boolean;
  /** Asked before each apply that reaches the store. */
  beforeApply: (() => Promise<void> | void) | undefined;
  /** What was logged. */
  readonly logged: { level: number; msg: string }[];
  /** Another gate's journal on the same store. */
  another(): Journal;
  decided(person: string, more?: Partial<DecisionInput>): ReturnType<Journal['decided']>;
  /** Records of a log, or entries of a set. */
  count(what: 'decisions' | 'counters' | 'persons' | 'pseudonyms', owner?: ClientId): Promise<number>;
}

interface Test {
  teardown(done: () => Promise<void>): unknown;
}

/** `storeUrl`: LMDB in the test's folder where absent. */
export async function newDesk(t: Test, storeUrl = 'lmdb:data'): Promise<Desk> {
  const dir = await mkdtemp(join(tmpdir(), 'postern-journal-'));
  const clock = { at: Date.parse('2026-11-21T12:30:00Z'), now: () => clock.at };
  const file = join(dir, 'keys/postern.key');
  await createKeyring(file, clock);
  const keyring = await loadKeyring({ file }, clock);
  const vault = await openVault(join(dir, 'vault'), { keyring, clock });
  for (const client of [ACME, OTHER]) await vault.create(client);
  const quiet = pino({ level: 'silent' });
  const real = await openStore(storeUrl, { create: true, patient: false, baseDir: dir, log: quiet, admit: async () => undefined });
  const logged: Desk['logged'] = [];
  const log: Logger = pino({ level: 'trace' }, { write: line => void logged.push(JSON.parse(line)) });
  const digests = new Digests(keyring);
  const parts: JournalParts = { store: steered(real, () => desk), digests, vault, sealer: keyring.sealer('journal'), clock, log };
  const journals: Journal[] = [];
  const another = () => {
    const journal = new Journal(parts);
    journals.push(journal);
    return journal;
  };
  const desk: Desk = {
    dir,
    clock,
    parts,
    journal: another(),
    decisions: new Decisions(parts),
    away: false,
    beforeApply: undefined,
    logged,
    another,
    decided: (person, more) => desk.journal.decided(decision(person, more)),
    async count(what, owner = ACME) {
      const range = what === 'persons' || what === 'pseudonyms' ? { owner, set: what } : { owner, log: what };
      let n = 0;
      for await (const _ of real.scan(range)) n += 1;
      return n;
    },
  };
  t.teardown(async () => {
    for (const journal of journals) await journal.close();
    await real.close();
    await vault.close();
    await rm(dir, { recursive: true, force: true });
  });
  return desk;
}

/** The real store, unless the desk says that it is away. */
function steered(real: Store, desk: () => Desk): Store {
  const there = () => {
    if (desk().away) throw new StoreUnavailable('The store is away');
  };
  return {
    find: async keys => {
      there();
      return real.find(keys);
    },
    apply: async (changes, expect) => {
      there();
      await desk().beforeApply?.();
      return real.apply(changes, expect);
    },
    scan: range => real.scan(range),
    isEmpty: () => real.isEmpty(),
    inspect: () => real.inspect(),
    ping: () => real.ping(),
    close: () => real.close(),
  };
}

export function decision(person: string, more: Partial<DecisionInput> = {}): DecisionInput {
  const recipient = parseAddress(person, { utf8: true });
  if (!isAddress(recipient)) throw new Error(`${person} does not parse`);
  return {
    client: ACME,
    campaign: 'spring' as CampaignId,
    credential: 'robot' as CredentialId,
    transaction: 'tx1',
    stage: 'rcpt',
    outcome: 'rejected',
    check: 'exclusion',
    token: 'excluded',
    reason: 'exclusion of acme lists this address',
    reply: '550 5.7.1 Recipient may not be mailed (excluded)',
    policy: 'basic',
    recipient,
    keepRecipient: true,
    ...more,
  };
}

/** Waits until it holds; fails after five seconds. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 5_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('never so');
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}
