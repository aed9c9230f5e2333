/** The configuration: the sum of the parts' own option schemas, read from YAML and the environment; errors name the key and the fix. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { parseDocument } from 'yaml';
import { adminOptions, adminProblems } from './admin/options.ts';
import { parseBlock } from './clients/addresses.ts';
import { webhookOptions } from './hooks/options.ts';
import { inboundListenerOptions, inboundOptions, inboundProblems } from './inbound/options.ts';
import { keysOptions } from './keys/options.ts';
import { ledgerOptions } from './lists/options.ts';
import { environment } from './ops/environment.ts';
import { logOptions, metricsOptions } from './ops/options.ts';
import { policyOptions } from './policy/options.ts';
import { upstreamOptions } from './relay/options.ts';
import { parseUpstreamUrl } from './relay/url.ts';
import { parseListens } from './smtp/listen.ts';
import { listenerOptions } from './smtp/options.ts';
import { storeOptions } from './store/options.ts';
import { submissionOptions } from './submission/options.ts';
import { alertsOptions } from './watch/options.ts';

const strict = { additionalProperties: false } as const;

export const configSchema = Type.Object(
  {
    store: storeOptions,
    keys: keysOptions,
    ledger: ledgerOptions,
    submission: Type.Object({ ...listenerOptions.properties, ...submissionOptions.properties }, { ...strict, default: {} }),
    inbound: Type.Object({ ...inboundListenerOptions.properties, ...inboundOptions.properties }, { ...strict, default: {} }),
    upstream: upstreamOptions,
    policies: policyOptions,
    alerts: alertsOptions,
    admin: adminOptions,
    log: logOptions,
    metrics: metricsOptions,
    webhooks: webhookOptions,
  },
  strict,
);

export type Config = Static<typeof configSchema>;

export interface Loaded {
  readonly config: Config;
  /** Relative paths start here: the config file's folder, or the working directory where there is no file. */
  readonly baseDir: string;
  /** The file that was read, if any. */
  readonly file: string | undefined;
}

export interface ConfigSource {
  /** `--config`; falls back to POSTERN_CONFIG, then to `postern.yaml` in the working directory where there is one. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Names of all checks, so that `POSTERN_POLICIES_<NAME>_<CHECK>` can be told apart. */
  readonly checks: readonly string[];
}

/** The configuration, or every problem found in it. */
export function loadConfig(source: ConfigSource): Loaded | { readonly problems: readonly string[] } {
  const named = source.file ?? source.env.POSTERN_CONFIG;
  const usual = resolve(source.cwd, 'postern.yaml');
  const file = named !== undefined ? resolve(source.cwd, named) : existsSync(usual) ? usual : undefined;
  const read = file === undefined ? { value: {} } : readYaml(file);
  if ('problems' in read) return read;
  const given = environment(configSchema, source.env, source.checks);
  const problems = [...given.problems];
  const merged = merge(read.value, given.value);
  problems.push(...unknownKeys(configSchema, merged, ''));
  const filled = Value.Default(configSchema, structuredClone(merged));
  if (problems.length === 0) problems.push(...wrongValues(filled));
  if (problems.length === 0) problems.push(...unusable(filled as Config));
  if (problems.length > 0) return { problems };
  return { config: filled as Config, baseDir: file === undefined ? source.cwd : dirname(file), file };
}

function readYaml(file: string): { value: object } | { problems: string[] } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return { problems: [`${file}: cannot be read; name an existing file with --config`] };
  }
  const document = parseDocument(text);
  if (document.errors.length > 0) return { problems: document.errors.map(error => `${file}: ${error.message.split('\n')[0]}`) };
  const value: unknown = document.toJS() ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) return { problems: [`${file}: must hold keys such as store: and upstream:`] };
  return { value: withoutNulls(value as object) };
}

/** `tls:` with nothing behind it sets nothing. */
function withoutNulls(value: object): object {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, below]) => below !== null)
      .map(([key, below]) => [key, isPlain(below) ? withoutNulls(below) : below]),
  );
}

function merge(base: object, over: object): object {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    result[key] = isPlain(value) && isPlain(below) ? merge(below, value) : value;
  }
  return result;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every key that no part knows, each with the keys it might have been. */
function unknownKeys(schema: TSchema, value: unknown, path: string): string[] {
  const properties = (schema as { properties?: Record<string, TSchema> }).properties;
  if (properties === undefined || !isPlain(value)) return [];
  return Object.entries(value).flatMap(([key, below]) => {
    const name = path === '' ? key : `${path}.${key}`;
    const known = properties[key];
    if (known === undefined) return [`${name}: no such key; there are ${Object.keys(properties).join(', ')}`];
    return unknownKeys(known, below, name);
  });
}

function wrongValues(value: unknown): string[] {
  const seen = new Set<string>();
  return [...Value.Errors(configSchema, value)].flatMap(error => {
    const key = error.instancePath.slice(1).replaceAll('/', '.');
    if (seen.has(key)) return [];
    seen.add(key);
    // The value itself is not repeated: it may be a secret.
    const message = error.keyword === 'const' ? 'is none of the words there are' : error.message;
    return [`${key === '' ? 'config' : key}: ${message}${described(key)}`];
  });
}

/** Texts of the right type that name nothing: told before anything is opened, where a gate would defer every mail for them. */
function unusable({ store, ledger, keys, submission, inbound, upstream, admin, metrics }: Config): string[] {
  const foreign = (url: string | undefined, known: RegExp) => url !== undefined && /^[a-z][a-z0-9+.-]+:/i.test(url) && !known.test(url);
  const target = parseUpstreamUrl(upstream.url);
  const problems = [
    STORE_URL.test(store.url) ? undefined : 'store.url: must begin with lmdb:, redis://, rediss://, redis+sentinel:// or redis+cluster://',
    foreign(ledger.url, /^(file:|rediss?:\/\/)/) ? 'ledger.url: must begin with file:, redis:// or rediss://' : undefined,
    foreign(keys.vault, /^rediss?:\/\//) ? 'keys.vault: must be a folder, or begin with redis:// or rediss://' : undefined,
    'problem' in target ? `upstream.url: ${target.problem}` : undefined,
    listenProblem(submission.listen),
    ...inboundProblems(inbound),
    ...adminProblems(admin),
    ...metrics.from.map(text =>
      parseBlock(text) === undefined ? `metrics.from: "${text}" is no network; write CIDR blocks such as 10.0.0.0/8` : undefined,
    ),
  ];
  return problems.filter(problem => problem !== undefined);
}

const STORE_URL = /^(lmdb:.|rediss?(\+sentinel|\+cluster)?:\/\/)/i;

function listenProblem(listen: string | readonly string[]): string | undefined {
  try {
    parseListens(listen);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'submission.listen: no listening address';
  }
}

function described(key: string): string {
  let schema: TSchema | undefined = configSchema;
  for (const step of key.split('.')) schema = (schema as { properties?: Record<string, TSchema> } | undefined)?.properties?.[step];
  const description = (schema as { description?: string } | undefined)?.description;
  return description === undefined ? '' : `; ${description}`;
}
