/** How policies and their history are kept: among what is global's, sealed, the version that holds and every version there was. */
import { isDeepStrictEqual } from 'node:util';
import type { Who } from '../audit/act.ts';
import { GLOBAL } from '../ids.ts';
import type { RecordKey } from '../store/store.ts';
import type { Mode } from './check.ts';
import type { Amendments } from './options.ts';
import type { CheckSetting } from './settings.ts';

/** A check's mode and options; options of a check that is off are none. */
interface Rule {
  readonly mode: Mode;
  readonly options: object;
}

/** What became of one check of a policy. */
export interface RuleChange {
  readonly check: string;
  /** Absent where there was no version before that could be used: nothing was asked under this name, and nothing passed. */
  readonly from?: Rule;
  readonly to: Rule;
}

/** One version of a policy: who made it, and what held from then on. */
export interface PolicyVersion extends Who {
  /** Counts from 1 for each policy, without a gap. */
  readonly version: number;
  /** Milliseconds since 1970 UTC; never less than the version's before it. */
  readonly at: number;
  /** What persons laid over the configuration; absent where nobody ever did. */
  readonly amendments?: Amendments;
  /** In registry order; null: there was no such policy, or it could not be used, so that nothing passed under its name. */
  readonly settings: readonly CheckSetting[] | null;
  /** Against the version before. */
  readonly changes: readonly RuleChange[];
}

/** By name, the version that holds. */
export const POLICIES = { owner: GLOBAL, log: 'policies' } as const;
export const HISTORY = { owner: GLOBAL, log: 'policy-history' } as const;

export const policyKey = (name: string): RecordKey => ({ ...POLICIES, id: name });
/** A version may have as many digits as times have: the log is ordered by it. */
export const versionKey = (name: string, version: number): RecordKey => ({
  ...HISTORY,
  id: `${name}/${String(version).padStart(15, '0')}`,
});

/** What differs between two versions' settings. */
export function changesBetween(before: PolicyVersion['settings'], after: PolicyVersion['settings']): readonly RuleChange[] {
  const [from, to] = [rulesOf(before), rulesOf(after)];
  return [...new Set([...to.keys(), ...from.keys()])].flatMap(check => {
    const became = to.get(check) ?? OFF;
    // As changed from off it would read as if an exclusion had not been asked for before.
    if (before === null) return [{ check, to: became }];
    const was = from.get(check) ?? OFF;
    return isSame(was, became) ? [] : [{ check, from: was, to: became }];
  });
}

/** Whether two values are the same once they are kept. */
export function isSame(one: unknown, other: unknown): boolean {
  const kept = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  return isDeepStrictEqual(kept(one), kept(other));
}

const OFF: Rule = { mode: 'off', options: {} };

function rulesOf(settings: PolicyVersion['settings']): ReadonlyMap<string, Rule> {
  return new Map((settings ?? []).map(({ check, mode, options }) => [check, { mode, options }]));
}
