/** Where each client's platform wants to be told of what: sealed under the client's own key, secrets and all; every change is on record. */
import { randomBytes } from 'node:crypto';
import { type AuditAct, OURSELVES, type Who } from '../audit/act.ts';
import type { Audit, Draft } from '../audit/audit.ts';
import { type ClientId, GLOBAL } from '../ids.ts';
import type { Vault } from '../keys/vault.ts';
import type { Clock } from '../ops/clock.ts';
import { type RecordKey, type Store, StoreUnavailable, type Value } from '../store/store.ts';
import type { EventType } from './event.ts';
import { parseEndpoint } from './post.ts';

/** Endpoints of one client: each event is written once for each of them. */
export const MAX_ENDPOINTS = 5;
/** How long the secret before the last one goes on signing beside it. */
export const OVERLAP_MS = 24 * 3_600_000;

const LOG = 'webhooks';
/** Which clients have endpoints, or had: whoever delivers looks at no others. */
const CLIENTS = 'webhook-clients';

/** Why it is told of nothing. `operator`: somebody switched it off; `gone`: it answered 410; `failing`: nothing reached it for days. */
export const DISABLED = ['operator', 'gone', 'failing'] as const;
export type Disabled = (typeof DISABLED)[number];

export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly types: readonly EventType[];
  /** Newest first; a replaced one goes on signing until `until` (ms since 1970 UTC). */
  readonly secrets: readonly { readonly secret: string; readonly until?: number | undefined }[];
  readonly disabled?: Disabled | undefined;
  readonly createdAt: number;
  /** When somebody switched it on again: failures before count no more. */
  readonly onSince?: number | undefined;
  /** Grows with every change. */
  readonly version: number;
}

export interface EndpointsParts {
  readonly store: Store;
  readonly vault: Pick<Vault, 'sealer'>;
  readonly audit: Pick<Audit, 'together'>;
  readonly clock: Clock;
  /** Whether http:// on this machine is an endpoint. */
  readonly loopback: boolean;
}

export interface EndpointChange {
  readonly types?: readonly EventType[] | undefined;
  readonly disabled?: boolean | undefined;
}

export type Refusal = { readonly problem: string };

/** `changed`: it has another version than the one that was expected. */
export type Missed = 'missing' | 'changed';

/** Every method throws StoreUnavailable (VaultUnavailable included) where no answer came. */
export class Endpoints {
  readonly #parts: EndpointsParts;

  constructor(parts: EndpointsParts) {
    this.#parts = parts;
  }

  async of(client: ClientId): Promise<readonly Endpoint[]> {
    const [value] = await this.#parts.store.find([keyOf(client)]);
    return this.#open(client, value);
  }

  async find(client: ClientId, id: string): Promise<Endpoint | undefined> {
    return (await this.of(client)).find(endpoint => endpoint.id === id);
  }

  /** A new one, its secret in it. `full`: the client has MAX_ENDPOINTS. */
  async add(client: ClientId, url: string, types: readonly EventType[], who: Who): Promise<Endpoint | Refusal | 'full'> {
    const { audit, clock, loopback, store } = this.#parts;
    const parsed = parseEndpoint(url, loopback);
    if ('problem' in parsed) return parsed;
    const made: Endpoint = {
      id: `ep_${randomBytes(9).toString('hex')}`,
      url: parsed.href,
      types: [...new Set(types)],
      secrets: [{ secret: newSecret() }],
      createdAt: clock.now(),
      version: 1,
    };
    // First the name, so that whatever is written for the client is found.
    await store.apply([{ key: { owner: GLOBAL, log: CLIENTS, id: client }, value: Buffer.from('1') }]);
    const act: AuditAct = { ...who, what: 'webhook.add', about: { webhook: made.id, host: parsed.host, types: made.types } };
    return audit.together<Endpoint | 'full'>(client, act, async draft => {
      const { value, endpoints } = await this.#read(client);
      if (endpoints.length >= MAX_ENDPOINTS) return 'full';
      return (await this.#write(client, value, [...endpoints, made], draft)) ? made : undefined;
    });
  }

  /** Changes what is named. Switched on again, it begins anew. */
  update(client: ClientId, id: string, change: EndpointChange, who: Who, version?: number): Promise<Endpoint | Missed> {
    const { types, disabled } = change;
    const act = { ...who, what: 'webhook.update', about: { webhook: id, ...change } };
    return this.#changed(client, id, act, version, endpoint => ({
      ...endpoint,
      types: types === undefined ? endpoint.types : [...new Set(types)],
      ...(disabled === true ? { disabled: 'operator' } : {}),
      ...(disabled === false && endpoint.disabled !== undefined ? { disabled: undefined, onSince: this.#parts.clock.now() } : {}),
    }));
  }

  /** A new secret comes first; the one it had signs beside it for a day, older ones no more. */
  rotate(client: ClientId, id: string, who: Who, version?: number): Promise<Endpoint | Missed> {
    const until = this.#parts.clock.now() + OVERLAP_MS;
    return this.#changed(client, id, { ...who, what: 'webhook.rotate', about: { webhook: id } }, version, endpoint => {
      const [before] = endpoint.secrets;
      return { ...endpoint, secrets: [{ secret: newSecret() }, ...(before === undefined ? [] : [{ ...before, until }])] };
    });
  }

  /** What waits for it is the outbox's to forget. */
  async remove(client: ClientId, id: string, who: Who, version?: number): Promise<'removed' | Missed> {
    const removed = await this.#edit(client, id, { ...who, what: 'webhook.remove', about: { webhook: id } }, version, () => undefined);
    return typeof removed === 'string' ? removed : 'removed';
  }

  /** Done by the software itself; false where it was off, or is no more. */
  async switchOff(client: ClientId, id: string, why: Exclude<Disabled, 'operator'>): Promise<boolean> {
    const endpoint = await this.find(client, id);
    if (endpoint === undefined || endpoint.disabled !== undefined) return false;
    const act = { ...OURSELVES, what: 'webhook.switch-off', about: { webhook: id, because: why } };
    const off = await this.#edit(client, id, act, endpoint.version, before => ({ ...before, disabled: why }));
    return typeof off === 'object';
  }

  /** The secrets that sign now, newest first. */
  signing({ secrets }: Endpoint): readonly string[] {
    const now = this.#parts.clock.now();
    return secrets.filter(({ until }) => until === undefined || until > now).map(({ secret }) => secret);
  }

  /** Clients that have endpoints, or had. */
  async clients(): Promise<readonly ClientId[]> {
    const found: ClientId[] = [];
    for await (const [{ id }] of this.#parts.store.scan({ owner: GLOBAL, log: CLIENTS })) found.push(String(id) as ClientId);
    return found;
  }

  async #changed(
    client: ClientId,
    id: string,
    act: AuditAct,
    version: number | undefined,
    edit: (endpoint: Endpoint) => Endpoint,
  ): Promise<Endpoint | Missed> {
    const edited = await this.#edit(client, id, act, version, edit);
    return typeof edited === 'string' ? edited : (edited.endpoint ?? 'missing');
  }

  /** On the audit trail with the change itself; `edit` may be called again where somebody else was faster, and removes with undefined. */
  async #edit(
    client: ClientId,
    id: string,
    act: AuditAct,
    version: number | undefined,
    edit: (endpoint: Endpoint) => Endpoint | undefined,
  ): Promise<{ readonly endpoint: Endpoint | undefined } | Missed> {
    return this.#parts.audit.together<{ readonly endpoint: Endpoint | undefined } | Missed>(client, act, async draft => {
      const { value, endpoints } = await this.#read(client);
      const before = endpoints.find(endpoint => endpoint.id === id);
      if (before === undefined) return 'missing';
      if (version !== undefined && version !== before.version) return 'changed';
      const edited = edit(before);
      const after = edited && { ...edited, version: before.version + 1 };
      const all = endpoints.flatMap(endpoint => (endpoint.id !== id ? [endpoint] : after === undefined ? [] : [after]));
      return (await this.#write(client, value, all, draft)) ? { endpoint: after } : undefined;
    });
  }

  async #read(client: ClientId): Promise<{ readonly value: Value | undefined; readonly endpoints: readonly Endpoint[] }> {
    const [value] = await this.#parts.store.find([keyOf(client)]);
    return { value, endpoints: await this.#open(client, value) };
  }

  async #write(client: ClientId, before: Value | undefined, endpoints: readonly Endpoint[], draft: Draft): Promise<boolean> {
    const { store, vault } = this.#parts;
    const sealer = await vault.sealer(client);
    if (sealer === undefined) throw new StoreUnavailable('the vault has no key of the client');
    const key = keyOf(client);
    const value = sealer.seal(JSON.stringify(endpoints), aad(client));
    return store.apply([{ key, value }, ...draft.changes], [{ key, value: before }, ...draft.expect]);
  }

  async #open(client: ClientId, value: Value | undefined): Promise<readonly Endpoint[]> {
    if (value === undefined) return [];
    const opened = (await this.#parts.vault.sealer(client))?.open(value, aad(client));
    // Shredded with its client's key: there is nobody left to be told.
    if (opened === undefined) return [];
    // Those that were made before there were versions have their first.
    return (JSON.parse(opened.toString()) as Endpoint[]).map(endpoint => ({ ...endpoint, version: endpoint.version ?? 1 }));
  }
}

function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

function keyOf(client: ClientId): RecordKey {
  return { owner: client, log: LOG, id: 'endpoints' };
}

function aad(client: ClientId): string {
  return `${client}/${LOG}`;
}
