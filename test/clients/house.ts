/** Clients on real parts in a folder of the test's own: store, key ring and vault, with `global` founded as a new store is. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Audit } from '../../src/audit/audit.ts';
import { type ClientInput, type ClientParts, Clients, isRefusal, type Refusal, type Rules } from '../../src/clients/clients.ts';
import { GLOBAL } from '../../src/ids.ts';
import { Digests } from '../../src/keys/digest.ts';
import { createKeyring, loadKeyring } from '../../src/keys/keyring.ts';
import { openVault } from '../../src/keys/vault.ts';
import { encodeHead, headKey, newHead } from '../../src/store/head.ts';
import { openStore } from '../../src/store/open.ts';

export interface House {
  readonly dir: string;
  readonly clock: { at: number; now(): number };
  readonly parts: ClientParts;
  readonly clients: Clients;
}

export const RULES: Rules = {
  policies: ['basic', 'b2b-prospecting', 'transactional', 'conversation'],
  credentialOnly: ['transactional', 'conversation'],
  upstreamProblem: url => (url.startsWith('smtp://') ? undefined : 'must begin with smtp:// or smtps://'),
};

/** A house that goes with the test. `storeUrl`: LMDB in the test's folder where absent. */
export async function newHouse(t: { teardown(done: () => Promise<void>): unknown }, storeUrl?: string): Promise<House> {
  const dir = await mkdtemp(join(tmpdir(), 'postern-clients-'));
  const clock = { at: Date.parse('2026-03-01T12:00:00Z'), now: () => clock.at };
  const file = join(dir, 'keys/postern.key');
  await createKeyring(file, clock);
  const keyring = await loadKeyring({ file }, clock);
  const vault = openVault(join(dir, 'vault'), { keyring, clock });
  const log = pino({ level: 'silent' });
  const store = await openStore(storeUrl ?? 'lmdb:data', {
    create: true,
    patient: false,
    baseDir: dir,
    log,
    admit: async () => undefined,
    timeoutMs: 5_000,
  });
  await vault.create(GLOBAL);
  await store.apply([{ key: headKey(GLOBAL), value: encodeHead(newHead(keyring.fingerprint)) }]);
  t.teardown(async () => {
    await store.close();
    await vault.close();
    await rm(dir, { recursive: true, force: true });
  });
  const audit = new Audit({ store, keyring, vault, clock, log });
  const parts = { store, keyring, digests: new Digests(keyring), vault, clock, rules: async () => RULES, audit };
  return { dir, clock, parts, clients: new Clients(parts) };
}

/** A client with everything it needs. */
export function input(id: string, more: Partial<ClientInput> = {}): ClientInput {
  return { id, name: `${id} GmbH`, privacyUrls: [`https://www.${id}.example/privacy`], fromDomains: [`${id}.example`], ...more };
}

/** The answer, which must not be a refusal. */
export function good<T extends object>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new Error(`refused: ${answer.problem}: ${answer.texts.join('; ')}`);
  return answer;
}

/** What was refused, and how; undefined where nothing was. */
export function problem(answer: object): string | undefined {
  return isRefusal(answer) ? answer.problem : undefined;
}
