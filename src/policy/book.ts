/** The book of policies: what the configuration makes of each and what persons laid over it, as it holds now and as it held before. */
import { OURSELVES, type Who } from '../audit/act.ts';
import type { Audit } from '../audit/audit.ts';
import { SealedRecords } from '../clients/records.ts';
import { type Refusal, refuse } from '../clients/refusal.ts';
import { GLOBAL } from '../ids.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import { changeHead, checkHead, type HeadEdit, headKey } from '../store/head.ts';
import { type Change, isEntryKey, type Store, StoreUnavailable } from '../store/store.ts';
import type { CheckDefinition } from './check.ts';
import type { Amendments, PolicyConfig } from './options.ts';
import { type CheckSetting, configured, configuredNames, isPolicyName, settingsOf, spelledOut } from './settings.ts';
import { changesBetween, HISTORY, isSame, POLICIES, type PolicyVersion, policyKey, versionKey } from './stored.ts';

export interface BookParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Logger;
  /** All checks there are, in registry order. */
  readonly definitions: readonly CheckDefinition[];
  /** `policies` of the configuration, which must have no problem. */
  readonly config: PolicyConfig;
}

/** A policy as it holds. */
export interface PolicyState {
  readonly name: string;
  /** In registry order; undefined where the policy cannot be used. */
  readonly settings: readonly CheckSetting[] | undefined;
  /** Why it cannot be used, with keys and fixes: what was laid over it does not fit this software. */
  readonly problems: readonly string[];
  /** What persons laid over the configuration. */
  readonly amendments: Amendments;
  /** The version on record; undefined where no gate has put the policy on record yet. */
  readonly last: PolicyVersion | undefined;
}

/** All policies under one version of the global head record. */
export interface Snapshot {
  readonly version: number;
  /** Stays the same object while nothing about policies changes. */
  readonly policies: ReadonlyMap<string, PolicyState>;
  /** By name, also of policies that are no more. */
  readonly stored: ReadonlyMap<string, PolicyVersion>;
}

export interface Amended {
  readonly state: PolicyState;
  readonly outcome: 'made' | 'changed' | 'unchanged';
}

/** Every policy is read when one changes, and none is ever deleted. */
const MAX_POLICIES = 200;
/** Read in several steps; a change in between starts over. */
const MAX_READS = 20;
/** Beyond every version. */
const NO_VERSION = 999_999_999_999_999;
const CONFIGURATION: Who = { ...OURSELVES, from: 'configuration' };

/** Every method throws StoreUnavailable where no answer came, or the store is not ours. */
export class PolicyBook {
  readonly #parts: BookParts;
  readonly #records: SealedRecords;
  #known: Snapshot | undefined;
  #reading: Promise<Snapshot> | undefined;

  constructor(parts: BookParts) {
    this.#parts = parts;
    this.#records = new SealedRecords(parts.keyring, 'policies');
  }

  /** As of this version of the global head record, which was just read; or of a later one. */
  async at(version: number): Promise<Snapshot> {
    if (this.#known?.version === version) return this.#known;
    // One that began before the change was made may not have seen it.
    const running = await this.#reading?.catch(() => undefined);
    if (running?.version === version) return running;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** As they hold now. */
  async now(): Promise<Snapshot> {
    return this.at(await this.#version());
  }

  /**
   * Lays these amendments over what the configuration makes of the policy, in place of all that were laid over it before; none: back to the
   * configuration. A new name starts from `basic`. The next transaction of every gate is held to it. Refused: outdated where the policy is of another
   * version than `version`, and invalid.
   */
  async amend(name: string, amendments: Amendments, who: Who, version?: number): Promise<Amended | Refusal> {
    const { definitions, config } = this.#parts;
    if (!isPolicyName(name)) return refuse('invalid', "policy: is no name of a policy; use a-z, 0-9 and '-', at most 64 characters");
    let refusal: Refusal | undefined;
    let outcome: Amended['outcome'] = 'unchanged';
    await this.#change(snapshot => {
      const [state, stored] = [snapshot.policies.get(name), snapshot.stored.get(name)];
      refusal = undefined;
      outcome = 'unchanged';
      const read = settingsOf(name, [configured(config, name), { key: 'checks', amendments }], definitions);
      if (version !== undefined && version !== (stored?.version ?? 0))
        refusal = refuse('outdated', `policy: ${name} was changed meanwhile; read it again`);
      else if ('problems' in read) refusal = refuse('invalid', ...read.problems);
      else if (state === undefined && snapshot.policies.size >= MAX_POLICIES)
        refusal = refuse('invalid', `policy: there are ${MAX_POLICIES} already; change one of them`);
      if (refusal !== undefined || 'problems' in read) return undefined;
      const kept = spelledOut(amendments, definitions);
      if (state !== undefined && isSame(state.amendments, kept)) return undefined;
      outcome = state === undefined ? 'made' : 'changed';
      const drifted = this.#drift(name, snapshot);
      const next = this.#next(drifted ?? stored, { ...who, amendments: kept, settings: read.settings });
      const about = { policy: name, version: next.version, changes: next.changes };
      return {
        versions: [...(drifted === undefined ? [] : [[name, drifted] as const]), [name, next]],
        act: { ...who, what: 'policy.update', about },
      };
    });
    if (refusal !== undefined) return refusal;
    const state = (await this.now()).policies.get(name);
    if (state === undefined) throw new StoreUnavailable(`Policy ${name} was written and is not there`);
    return { state, outcome };
  }

  /**
   * Puts on record what the configuration (or new software) made of policies since they were last on record; the names of those. Nothing is written
   * where nothing differs, and once where several gates start at once.
   */
  async recordConfigured(): Promise<readonly string[]> {
    let names: readonly string[] = [];
    await this.#change(snapshot => {
      const versions = [...new Set([...snapshot.policies.keys(), ...snapshot.stored.keys()])].flatMap(name => {
        const drifted = this.#drift(name, snapshot);
        return drifted === undefined ? [] : [[name, drifted] as const];
      });
      names = versions.map(([name]) => name);
      if (versions.length === 0) return undefined;
      const policies = Object.fromEntries(versions.map(([name, { version, changes }]) => [name, { version, changes }]));
      return { versions, act: { ...CONFIGURATION, what: 'policy.configure', about: { policies } } };
    });
    return names;
  }

  /** Versions of a policy, newest first, also of one that is no more; of those before `before`, at most `limit`. Empty where there are none. */
  async history(
    name: string,
    { before, limit }: { readonly before?: number | undefined; readonly limit: number },
  ): Promise<readonly PolicyVersion[]> {
    if (!isPolicyName(name)) return [];
    await this.#version();
    const range = { from: versionKey(name, 0).id, to: versionKey(name, before ?? NO_VERSION).id };
    const versions: PolicyVersion[] = [];
    for await (const [key, value] of this.#parts.store.scan({ ...HISTORY, ...range, reverse: true, limit }))
      versions.push(this.#records.get<PolicyVersion>(key, value));
    return versions;
  }

  async #version(): Promise<number> {
    const { store, keyring } = this.#parts;
    const [head] = await store.find([headKey(GLOBAL)]);
    return checkHead(head, keyring.fingerprint).version;
  }

  async #read(): Promise<Snapshot> {
    for (let reads = 0; reads < MAX_READS; reads++) {
      const version = await this.#version();
      const stored = new Map<string, PolicyVersion>();
      for await (const [key, value] of this.#parts.store.scan(POLICIES)) {
        if (!isEntryKey(key)) stored.set(key.id, this.#records.get<PolicyVersion>(key, value));
      }
      if ((await this.#version()) !== version) continue;
      const known = this.#known;
      const policies = known !== undefined && isSame([...known.stored], [...stored]) ? known.policies : this.#states(stored);
      this.#known = { version, policies, stored };
      return this.#known;
    }
    throw new StoreUnavailable('The policies keep changing under us');
  }

  #states(stored: ReadonlyMap<string, PolicyVersion>): ReadonlyMap<string, PolicyState> {
    const { definitions, config, log } = this.#parts;
    const made = [...stored].flatMap(([name, { amendments }]) => (amendments === undefined ? [] : [name]));
    const states = [...new Set([...configuredNames(config), ...made])].map((name): PolicyState => {
      const last = stored.get(name);
      const amendments = last?.amendments ?? {};
      const read = settingsOf(name, [configured(config, name), { key: 'checks', amendments }], definitions);
      if ('settings' in read) return { name, settings: read.settings, problems: [], amendments, last };
      log.error({ policy: name, problems: read.problems }, 'what was laid over this policy does not fit: nothing passes under it');
      return { name, settings: undefined, problems: read.problems, amendments, last };
    });
    return new Map(states.map(state => [state.name, state]));
  }

  /** The version to be put on record where what holds differs from what is on record, by nobody's act. */
  #drift(name: string, { policies, stored }: Snapshot): PolicyVersion | undefined {
    const last = stored.get(name);
    const state = policies.get(name);
    const settings = state?.settings ?? null;
    if (isSame(last?.settings ?? null, settings)) return undefined;
    const why =
      state === undefined
        ? { why: 'the configuration no longer names it' }
        : state.problems.length > 0
          ? { why: state.problems.join('; ') }
          : {};
    return this.#next(last, {
      ...CONFIGURATION,
      ...why,
      settings,
      ...(last?.amendments === undefined ? {} : { amendments: last.amendments }),
    });
  }

  #next(last: PolicyVersion | undefined, made: Who & Pick<PolicyVersion, 'amendments' | 'settings'>): PolicyVersion {
    const at = Math.max(this.#parts.clock.now(), last?.at ?? 0);
    return { version: (last?.version ?? 0) + 1, at, ...made, changes: changesBetween(last?.settings ?? null, made.settings) };
  }

  /** Writes what `edit` makes of the policies, with its audit line, and has every gate read them anew. */
  async #change(edit: (snapshot: Snapshot) => Edit | undefined): Promise<void> {
    const { store, keyring, audit } = this.#parts;
    await changeHead(store, GLOBAL, keyring.fingerprint, async (head): Promise<HeadEdit | undefined> => {
      const edited = edit(await this.at(head.version));
      if (edited === undefined) return undefined;
      const draft = await audit.append(GLOBAL, edited.act);
      const changes: readonly Change[] = edited.versions.flatMap(([name, version]) => [
        this.#records.put(policyKey(name), version),
        this.#records.put(versionKey(name, version.version), version),
      ]);
      return { head, ...draft, changes: [...changes, ...draft.changes] };
    });
  }
}

interface Edit {
  /** In the order in which they follow each other. */
  readonly versions: readonly (readonly [string, PolicyVersion])[];
  readonly act: Parameters<Audit['append']>[1];
}
