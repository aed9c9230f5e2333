/** Where each client's platform wants to be told of what: sealed under the client's own key, secrets and all. */
import { randomBytes } from 'node:crypto';
import { type ClientId, GLOBAL } from '../ids.ts';
import type { Vault } from '../keys/vault.ts';
import type { Clock } from '../ops/clock.ts';
import { type Change, type Expectation, type RecordKey, type Store, StoreUnavailable, type Value } from '../store/store.ts';
import type { EventType } from './event.ts';
import { parseEndpoint } from './post.ts';

/** Endpoints of one client: each event is written once for each of them. */
export const MAX_ENDPOINTS = 5;
/** How long the secret before the last one goes on signing beside it. */
export const OVERLAP_MS = 24 * 3_600_000;

const LOG = 'webhooks';
/** Which clients have endpoints, or had: whoever delivers looks at no others. */
const CLIENTS = 'webhook-clients';
const ATTEMPTS = 20;

export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly types: readonly EventType[];
  /** Newest first; a replaced one goes on signing until `until` (ms since 1970 UTC). */
  readonly secrets: readonly { readonly secret: string; readonly until?: number | undefined }[];
  /** `operator`: switched off; `gone`: it answered 410. */
  readonly disabled?: 'operator' | 'gone' | undefined;
  readonly createdAt: number;
}

export interface EndpointsParts {
  readonly store: Store;
  readonly vault: Pick<Vault, 'sealer'>;
  readonly clock: Clock;
  /** Whether http:// on this machine is an endpoint. */
  readonly loopback: boolean;
}

/** What goes into the apply with a change, as the line of the audit trail does. */
export interface Along {
  readonly changes: readonly Change[];
  readonly expect: readonly Expectation[];
}

export type Refusal = { readonly problem: string };

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

  /** A new one, not kept yet. Its secret is in it. */
  draft(url: string, types: readonly EventType[]): Endpoint | Refusal {
    const parsed = parseEndpoint(url, this.#parts.loopback);
    if ('problem' in parsed) return parsed;
    const { clock } = this.#parts;
    return {
      id: `ep_${randomBytes(9).toString('hex')}`,
      url: parsed.href,
      types: [...new Set(types)],
      secrets: [{ secret: newSecret() }],
      createdAt: clock.now(),
    };
  }

  /** The endpoint with a new secret first; the one it had signs beside it for a day, older ones no more. */
  rotated(endpoint: Endpoint): Endpoint {
    const until = this.#parts.clock.now() + OVERLAP_MS;
    const [before] = endpoint.secrets;
    return { ...endpoint, secrets: [{ secret: newSecret() }, ...(before === undefined ? [] : [{ ...before, until }])] };
  }

  /** The secrets that sign now, newest first. */
  signing({ secrets }: Endpoint): readonly string[] {
    const now = this.#parts.clock.now();
    return secrets.filter(({ until }) => until === undefined || until > now).map(({ secret }) => secret);
  }

  /**
   * Changes the client's endpoints; `edit` may be called again where somebody else was faster, and leaves them alone with undefined.
   * False: what should go along did not hold, or nothing was to be changed.
   */
  async change(
    client: ClientId,
    edit: (endpoints: readonly Endpoint[]) => readonly Endpoint[] | undefined,
    along?: Along,
  ): Promise<boolean> {
    const { store } = this.#parts;
    const key = keyOf(client);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [value] = await store.find([key]);
      const edited = edit(await this.#open(client, value));
      if (edited === undefined) return false;
      // First the name, so that whatever is written for the client is found.
      await store.apply([{ key: { owner: GLOBAL, log: CLIENTS, id: client }, value: Buffer.from('1') }]);
      const changes: Change[] = [{ key, value: await this.#seal(client, edited) }, ...(along?.changes ?? [])];
      if (await store.apply(changes, [{ key, value }, ...(along?.expect ?? [])])) return true;
      if (along !== undefined) return false;
    }
    throw new StoreUnavailable('The endpoints keep changing under us');
  }

  /** Clients that have endpoints, or had. */
  async clients(): Promise<readonly ClientId[]> {
    const found: ClientId[] = [];
    for await (const [{ id }] of this.#parts.store.scan({ owner: GLOBAL, log: CLIENTS })) found.push(String(id) as ClientId);
    return found;
  }

  async #open(client: ClientId, value: Value | undefined): Promise<readonly Endpoint[]> {
    if (value === undefined) return [];
    const opened = (await this.#parts.vault.sealer(client))?.open(value, aad(client));
    // Shredded with its client's key: there is nobody left to be told.
    return opened === undefined ? [] : (JSON.parse(opened.toString()) as Endpoint[]);
  }

  async #seal(client: ClientId, endpoints: readonly Endpoint[]): Promise<Value> {
    const sealer = await this.#parts.vault.sealer(client);
    if (sealer === undefined) throw new StoreUnavailable('the vault has no key of the client');
    return sealer.seal(JSON.stringify(endpoints), aad(client));
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
