/** Which checks a named policy asks, in which mode and with which options: the built-in policies and what is laid over them. */
import { Value } from 'typebox/value';
import { REASONS } from '../lists/standing.ts';
import type { CheckDefinition, Mode } from './check.ts';
import type { Amendments, PolicyConfig } from './options.ts';

/** One check of one policy. Checks that are off are not listed at all. */
export interface CheckSetting {
  readonly check: string;
  readonly mode: Exclude<Mode, 'off'>;
  /** The check's defaults with the policy's own options over them. */
  readonly options: object;
}

/** Policy name → its checks in registry order. */
export type PolicySettings = ReadonlyMap<string, readonly CheckSetting[]>;

/** A policy whose marketing checks are left out on purpose; given to a credential by an operator, never to a client, never by a header. */
export const TRANSACTIONAL = 'transactional';
/** A salesperson's own answers to replies, which are no campaign mail. The check of the same name makes sure that they are such. */
export const CONVERSATION = 'conversation';
/** No client has one of these: what they leave out is decided for each credential by a person. */
export const CREDENTIAL_ONLY: readonly string[] = [TRANSACTIONAL, CONVERSATION];
/** What a new policy name starts from. */
export const BASIC = 'basic';

/** Amendments of a policy, and the key under which a problem with one of them is told. */
export interface Layer {
  readonly key: string;
  readonly amendments: Amendments;
}

type Draft = Map<string, { mode: Mode; options: Record<string, unknown> }>;

const MODES: readonly string[] = ['enforce', 'observe', 'off'] satisfies readonly Mode[];
const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Names that there are whatever anybody sets, and those of the configuration. */
export function configuredNames(config: PolicyConfig): readonly string[] {
  return [...new Set([BASIC, 'b2b-prospecting', ...CREDENTIAL_ONLY, ...Object.keys(config)])];
}

/** What the configuration says of a policy; empty where it says nothing. */
export function configured(config: PolicyConfig, name: string): Layer {
  return { key: `policies.${name}`, amendments: (Object.hasOwn(config, name) ? config[name] : undefined) ?? {} };
}

/**
 * The settings of all policies of the configuration, or every problem with them, each naming its key and the fix.
 * `definitions` are all checks there are, in registry order.
 */
export function policySettings(
  definitions: readonly CheckDefinition[],
  config: PolicyConfig = {},
): { readonly settings: PolicySettings } | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const settings = new Map<string, readonly CheckSetting[]>();
  for (const name of configuredNames(config)) {
    const read = settingsOf(name, [configured(config, name)], definitions);
    if ('problems' in read) problems.push(...read.problems);
    else settings.set(name, read.settings);
  }
  return problems.length > 0 ? { problems } : { settings };
}

/** The settings of one policy: what its name starts from with each layer over the one before, or every problem with them. */
export function settingsOf(
  name: string,
  layers: readonly Layer[],
  definitions: readonly CheckDefinition[],
): { readonly settings: readonly CheckSetting[] } | { readonly problems: readonly string[] } {
  if (!NAME.test(name)) return { problems: [`policies.${name}: not a policy name; use a-z, 0-9 and '-', at most 64 characters`] };
  const draft = builtIn(name, definitions);
  const problems = layers.flatMap(({ key, amendments }) => {
    const wrong = Object.entries(amendments).flatMap(([check, given]) => amend(draft, `${key}.${check}`, check, given, definitions));
    if (name !== CONVERSATION || draft.get(CONVERSATION)?.mode === 'enforce') return wrong;
    // Law 5: what this policy leaves out is made up for by this check alone.
    return [...wrong, `${key}.${CONVERSATION}: is always enforced under this policy; remove this setting`];
  });
  return problems.length > 0 ? { problems } : { settings: finish(draft, definitions) };
}

export function isPolicyName(text: string): boolean {
  return NAME.test(text);
}

/** Amendments as they are kept, whichever way they were written: each with its mode, in registry order. They must have been read without a problem. */
export function spelledOut(amendments: Amendments, definitions: readonly CheckDefinition[]): Amendments {
  return Object.fromEntries(
    definitions.flatMap(({ name }) => {
      const given = Object.hasOwn(amendments, name) ? amendments[name] : undefined;
      if (given === undefined) return [];
      return [[name, typeof given === 'string' ? { mode: given } : { mode: 'enforce', ...given }]];
    }),
  );
}

function builtIn(name: string, definitions: readonly CheckDefinition[]): Draft {
  if (name === TRANSACTIONAL) {
    return new Map([
      ['suppression', { mode: 'enforce', options: { reasons: ['bounce'] } }],
      ['sender', { mode: 'enforce', options: {} }],
    ]);
  }
  if (name === CONVERSATION) {
    return new Map([
      // Whoever wrote is excluded from the campaign for that very reason, and not from being answered.
      ['exclusion', { mode: 'enforce', options: { reasons: REASONS.filter(reason => reason !== 'reply') } }],
      ['suppression', { mode: 'enforce', options: {} }],
      ['sender', { mode: 'enforce', options: {} }],
      [CONVERSATION, { mode: 'enforce', options: {} }],
    ]);
  }
  const usual = definitions.filter(definition => definition.name !== CONVERSATION);
  return new Map(usual.map(definition => [definition.name, { mode: 'enforce', options: {} }]));
}

/** Lays one configured check over the draft; answers the problems, empty where there are none. */
function amend(
  draft: Draft,
  key: string,
  check: string,
  given: Amendments[string],
  definitions: readonly CheckDefinition[],
): readonly string[] {
  const definition = definitions.find(({ name }) => name === check);
  if (definition === undefined) return [`${key}: no such check; there are ${definitions.map(({ name }) => name).join(', ')}`];
  const { mode = 'enforce', ...options }: Record<string, unknown> = typeof given === 'string' ? { mode: given } : given;
  if (!isMode(mode)) return [`${key}: no such mode '${mode}'; use enforce, observe or off`];
  if (definition.alwaysEnforced === true) {
    // Law 1: who may not be mailed is no matter of configuration, neither by mode nor by an option that narrows it.
    if (mode !== 'enforce') return [`${key}: is always enforced; remove this setting`];
    const [option] = Object.keys(options);
    if (option !== undefined) return [`${key}.${option}: may not be changed, this check always binds in full; remove it`];
  }
  const problems = optionProblems(key, definition, options);
  if (problems.length > 0) return problems;
  draft.set(check, { mode, options: { ...draft.get(check)?.options, ...options } });
  return [];
}

function isMode(mode: unknown): mode is Mode {
  return typeof mode === 'string' && MODES.includes(mode);
}

function optionProblems(key: string, definition: CheckDefinition, options: Record<string, unknown>): readonly string[] {
  const { properties = {} } = definition.options as { properties?: Record<string, object> };
  const known = Object.keys(properties);
  return Object.entries(options).flatMap(([option, value]) => {
    const schema = Object.hasOwn(properties, option) ? properties[option] : undefined;
    if (schema === undefined)
      return [`${key}.${option}: no such option; ${known.length === 0 ? 'this check has none' : `there are ${known.join(', ')}`}`];
    return [...Value.Errors(schema, value)]
      .slice(0, 1)
      .map(error => `${key}.${option}${error.instancePath.replaceAll('/', '.')}: ${error.message}; expected ${expected(schema)}`);
  });
}

/** What a schema asks for, in a few words. */
function expected(schema: object): string {
  const { description, default: usual } = schema as { description?: string; default?: unknown };
  return [description ?? 'another value', ...(usual === undefined ? [] : [`default ${JSON.stringify(usual)}`])].join(', ');
}

function finish(draft: Draft, definitions: readonly CheckDefinition[]): readonly CheckSetting[] {
  return definitions.flatMap(definition => {
    const set = draft.get(definition.name);
    if (set === undefined || set.mode === 'off') return [];
    return [{ check: definition.name, mode: set.mode, options: { ...definition.defaults, ...set.options } }];
  });
}
