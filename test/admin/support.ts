/** A real admin server on a house of the test's own (LMDB in a fresh folder), with accounts, their API tokens and a small client for them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Role } from '../../src/accounts/account.ts';
import type { AdminParts } from '../../src/admin/app.ts';
import { type RunningAdmin, startAdmin } from '../../src/admin/server.ts';
import { adminPartsOf, type House, openHouse, policiesOf, upstreamsOf } from '../../src/app.ts';
import { isRefusal } from '../../src/clients/clients.ts';
import { TrackedLinks } from '../../src/watch/tracked-links.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What the body holds, parsed. */
  json<T = Record<string, unknown>>(): T;
}

export type Ask = (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answer>;

export interface Office {
  readonly house: House;
  readonly clock: { offset: number; now(): number };
  readonly admin: RunningAdmin;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Without a login. */
  readonly ask: Ask;
  /** The client of a new account's API token. */
  as(role: Role, client?: string): Promise<Ask>;
  /** A new account's name and API token. */
  token(
    role: Role,
    options?: { client?: string; scopes?: string[]; ips?: string[]; days?: number },
  ): Promise<{ name: string; token: string }>;
  withToken(token: string): Ask;
}

export interface OfficeOptions {
  /** Laid over the configuration. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly admin?: Readonly<Record<string, unknown>>;
  /** In the place of the house's own. */
  readonly parts?: Partial<AdminParts>;
  /** How often its certificate's files are looked at. */
  readonly watchMs?: number;
}

interface Test {
  teardown(done: () => Promise<void>): unknown;
}

const CLI = { by: 'test', from: 'cli' };
export const PASSWORD = 'correct horse battery';

/** Clients `acme` (campaign `spring`) and `other` (campaign `autumn`). */
export async function newOffice(t: Test, options: OfficeOptions = {}): Promise<Office> {
  const dir = mkdtempSync(join(tmpdir(), 'postern-admin-'));
  const file = join(dir, 'postern.yaml');
  const off = { listen: 'off' };
  const settings = { log: { level: 'silent' }, inbound: off, ...options.settings, admin: { listen: '127.0.0.1:0', ...options.admin } };
  writeFileSync(file, stringify(settings));
  const clock = { offset: 0, now: () => Date.now() + clock.offset };
  const house = await openHouse({ file, create: true, env: {}, cwd: dir, clock });
  for (const [id, campaign] of [
    ['acme', 'spring'],
    ['other', 'autumn'],
  ] as const) {
    good(await house.clients.add({ id, name: id, privacyUrls: [`https://www.${id}.example/privacy`], fromDomains: [`${id}.example`] }));
    good(await house.clients.addCampaign(id, campaign, []));
  }
  const upstreams = upstreamsOf(house);
  const tracked = new TrackedLinks({ store: house.store, clock, log: house.log });
  const admin = await startAdmin({ ...adminPartsOf(house, upstreams, policiesOf(house, tracked)), ...options.parts }, options.watchMs);
  t.teardown(async () => {
    await admin.stop(1_000);
    await upstreams.close();
    await tracked.close();
    await house.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${admin.address?.port}`;
  let made = 0;
  const office: Office = {
    house,
    clock,
    admin,
    url,
    ask: asking(url, {}),
    withToken: token => asking(url, { authorization: `Bearer ${token}` }),
    async token(role, { client = role === 'client' ? 'acme' : undefined, scopes, ips, days = 1 } = {}) {
      made += 1;
      const name = `${role}-${made}`;
      good(await house.accounts.directory.add({ name, role, client, ips, password: PASSWORD }, CLI));
      return { name, token: good(await house.accounts.tokens.issue(name, { scopes, days }, CLI)).secret };
    },
    async as(role, client) {
      return office.withToken((await office.token(role, client === undefined ? {} : { client })).token);
    },
  };
  return office;
}

/** The answer, which must not be a refusal. */
export function good<T extends object>(answer: T): Exclude<T, { readonly problem: string }> {
  if (isRefusal(answer)) throw new Error(`refused: ${answer.texts.join('; ')}`);
  return answer as Exclude<T, { readonly problem: string }>;
}

/** A client of an admin API that shows these headers. */
export function asking(url: string, own: Readonly<Record<string, string>>): Ask {
  return async (method, path, body, headers = {}) => {
    const sent = body === undefined ? {} : typeof body === 'string' ? { body } : { body: JSON.stringify(body) };
    const type: Record<string, string> = body === undefined || typeof body === 'string' ? {} : { 'content-type': 'application/json' };
    const response = await fetch(`${url}${path}`, { method, headers: { ...type, ...own, ...headers }, ...sent, redirect: 'manual' });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
  };
}
