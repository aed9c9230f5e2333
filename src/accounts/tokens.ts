/** API tokens: 32 random octets that a program shows instead of a login; kept as a digest, scoped, expiring, revocable. */
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Who } from '../audit/act.ts';
import type { SealedRecords } from '../clients/records.ts';
import { type Refusal, refuse } from '../clients/refusal.ts';
import { GLOBAL } from '../ids.ts';
import { checkHead, headKey } from '../store/head.ts';
import { isEntryKey, type Key, type Value } from '../store/store.ts';
import type { Directory } from './directory.ts';
import { unknownAccount } from './directory.ts';
import { type AccountParts, FIRST_TOKEN_EPOCH, firstOf, type StoredAccount, TOKEN_USES, TOKENS, tokenKeys, useKey } from './records.ts';
import { EVERYTHING, type Grant, isGrant, RESOURCES } from './scopes.ts';

const TOKEN_PREFIX = 'postern_';
const TOKEN = /^postern_[A-Za-z0-9_-]{43}$/;
/** Printable, and nothing that reads like a token: names are listed. */
const NAME = /^(?!.*postern_[A-Za-z0-9_-]{20})[^\p{C}\p{Z}](?:[^\p{C}\p{Zl}\p{Zp}]{0,62}[^\p{C}\p{Z}])?$/u;
export const MAX_DAYS = 3650;
/** Of one account that have not ended: each is a record that every list of tokens reads. */
export const MAX_TOKENS = 100;
const DAY_MS = 86_400_000;
/** When a token was last used is written once an hour: what it is asked for is whether anybody still needs it. */
const NOTED_MS = 3_600_000;
const NOTED_KEPT = 10_000;

export interface ApiToken {
  /** What it is called when it is listed or revoked; tells nothing about the token. */
  readonly id: string;
  /** What its maker calls it, to know it by; undefined: nothing. */
  readonly name?: string | undefined;
  /** Id of its account. */
  readonly account: string;
  /** The account's when it was made; another one ends it. */
  readonly epoch: number;
  readonly scopes: readonly Grant[];
  /** ms since 1970 UTC. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** As it is listed. `usedAt`: to the hour; undefined where it never was. */
export interface ListedToken extends ApiToken {
  readonly usedAt: number | undefined;
}

export interface IssuedToken {
  readonly token: ApiToken;
  /** Shown this once. */
  readonly secret: string;
}

export interface TokenInput {
  /** All that the account may, where absent. */
  readonly scopes?: readonly string[] | undefined;
  /** How long it lives, 1 to 3650. */
  readonly days: number;
  /** In ms since 1970 UTC; it ends no later than this. */
  readonly until?: number | undefined;
  /** 1 to 64 printable characters. */
  readonly name?: string | undefined;
}

/** Everything may throw StoreUnavailable. */
export class ApiTokens {
  readonly #parts: AccountParts;
  readonly #directory: Directory;
  readonly #noted = new LRUCache<string, number>({ max: NOTED_KEPT });

  constructor(parts: AccountParts, directory: Directory) {
    this.#parts = parts;
    this.#directory = directory;
  }

  /** Makes a token. Refused: unknown (account), disabled, invalid, taken (MAX_TOKENS). */
  async issue(
    account: string,
    { scopes = EVERYTHING, days, until = Infinity, name }: TokenInput,
    who: Who,
  ): Promise<IssuedToken | Refusal> {
    const { store, digests, records, clock, audit } = this.#parts;
    const holder = await this.#directory.find(account);
    if (holder === undefined) return unknownAccount();
    if (holder.disabled) return refuse('disabled', 'account: it is disabled; its tokens would open nothing');
    const texts = [
      ...scopeProblems(scopes),
      ...(Number.isInteger(days) && days >= 1 && days <= MAX_DAYS ? [] : [`expiresDays: a whole number of days; 1 to ${MAX_DAYS}`]),
      ...(name === undefined || NAME.test(name) ? [] : ['name: 1 to 64 printable characters, no token; such as nightly import']),
    ];
    if (texts.length > 0) return refuse('invalid', ...texts);
    const secret = `${TOKEN_PREFIX}${randomBytes(32).toString('base64url')}`;
    const now = clock.now();
    const alive = (await this.list(holder.id)).filter(({ expiresAt }) => expiresAt > now);
    if (alive.length >= MAX_TOKENS) return refuse('taken', `account: has ${MAX_TOKENS} API tokens; revoke one that nobody uses first`);
    const token: ApiToken = {
      id: randomBytes(6).toString('hex'),
      name,
      account: holder.id,
      epoch: holder.tokenEpoch,
      scopes: [...new Set(scopes.filter(isGrant))],
      createdAt: now,
      expiresAt: Math.min(now + days * DAY_MS, until),
    };
    const change = records.put(firstOf(tokenKeys(digests, secret)), token);
    const about = { account: holder.name, token: token.id, scopes: token.scopes, expiresAt: new Date(token.expiresAt).toISOString() };
    await audit.together(GLOBAL, { ...who, what: 'token.add', about }, async draft =>
      (await store.apply([change, ...draft.changes], draft.expect)) ? token.id : undefined,
    );
    return { token, secret };
  }

  /** The token and its account, whether that is disabled or not; undefined where it is none of ours, was revoked or has expired. */
  async resolve(secret: string): Promise<{ readonly token: ApiToken; readonly holder: StoredAccount } | undefined> {
    if (!TOKEN.test(secret)) return undefined;
    const { store, keyring, digests, records, clock } = this.#parts;
    const keys = tokenKeys(digests, secret);
    const [head, ...values] = await store.find([headKey(GLOBAL), ...keys]);
    checkHead(head, keyring.fingerprint);
    const index = values.findIndex(value => value !== undefined);
    const [key, value] = [keys[index], values[index]];
    if (key === undefined || value === undefined) return undefined;
    const token = readToken(records, key, value);
    const now = clock.now();
    if (now >= token.expiresAt) return undefined;
    const holder = await this.#directory.byId(token.account);
    return holder === undefined || holder.tokenEpoch !== token.epoch ? undefined : { token, holder };
  }

  /** Notes that a token was used: once an hour, behind the request. Never rejects. */
  noteUse({ id }: ApiToken): void {
    const now = this.#parts.clock.now();
    const noted = this.#noted.get(id);
    if (noted !== undefined && Math.abs(now - noted) < NOTED_MS) return;
    this.#noted.set(id, now);
    this.#parts.store.apply([{ key: useKey(id), value: Buffer.from(String(now)) }]).catch(() => this.#noted.delete(id));
  }

  /**
   * The tokens of an account, or of all, oldest first; expired ones too, until they are revoked. Those that ended with a change of their account go.
   * A use that is still being written counts: who lists tokens has just used one.
   */
  async list(account?: string): Promise<readonly ListedToken[]> {
    const { store, records } = this.#parts;
    const epochs = new Map<string, number | undefined>();
    const used = new Map<string, number>();
    for await (const [key, value] of store.scan(TOKEN_USES)) if (isEntryKey(key)) used.set(key.id.toString(), Number(value.toString()));
    const found: ListedToken[] = [];
    for await (const [key, value] of store.scan(TOKENS)) {
      const token = readToken(records, key, value);
      if (account !== undefined && token.account !== account) continue;
      if (!epochs.has(token.account)) epochs.set(token.account, (await this.#directory.byId(token.account))?.tokenEpoch);
      if (epochs.get(token.account) === token.epoch) found.push({ ...token, usedAt: used.get(token.id) ?? this.#noted.get(token.id) });
      else await store.apply([key, useKey(token.id)].map(gone => ({ key: gone, value: undefined })));
    }
    return found.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  }

  /** Deletes the token of this id; of this account only, where one is named. False: there is none. */
  async revoke(id: string, who: Who, account?: string): Promise<boolean> {
    const { store, records, audit } = this.#parts;
    for await (const [key, value] of store.scan(TOKENS)) {
      const token = readToken(records, key, value);
      if (token.id !== id || (account !== undefined && token.account !== account)) continue;
      const gone = [key, useKey(id)].map(one => ({ key: one, value: undefined }));
      await audit.together(GLOBAL, { ...who, what: 'token.revoke', about: { token: id } }, async draft =>
        (await store.apply([...gone, ...draft.changes], draft.expect)) ? id : undefined,
      );
      return true;
    }
    return false;
  }
}

/** As it was kept; the first ones had no epoch. */
function readToken(records: SealedRecords, key: Key, value: Value): ApiToken {
  const token = records.get<ApiToken>(key, value);
  return { ...token, epoch: token.epoch ?? FIRST_TOKEN_EPOCH };
}

function scopeProblems(scopes: readonly string[]): readonly string[] {
  const known = `write RESOURCE:read or RESOURCE:write, of ${RESOURCES.join(', ')} or * for all`;
  if (scopes.length === 0) return [`scopes: none is named; ${known}`];
  const strange = scopes.filter(scope => !isGrant(scope));
  return strange.length === 0
    ? []
    : [`scopes: there is no ${strange.map(scope => JSON.stringify(scope.slice(0, 64))).join(', ')}; ${known}`];
}
