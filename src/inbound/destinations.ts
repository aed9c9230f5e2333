/** Which addresses mail may come back to, and what each stands for: the offices of our own domains, and clients' reply addresses. */
import type { ClientId } from '../ids.ts';
import type { Address } from '../mail/address.ts';
import { parseDomain } from '../mail/domain.ts';
import type { Role } from './finding.ts';
import type { Destination } from './processor.ts';

/** Local part → what it is for, on the domains of `inbound.domains`. */
const OFFICES: ReadonlyMap<string, Role> = new Map([
  ['unsubscribe', 'unsubscribe'],
  ['bounce', 'return-path'],
  ['feedback', 'feedback'],
  ['privacy', 'privacy'],
]);

export interface DestinationParts {
  readonly clients: { byReplyAddress(address: Address): Promise<ClientId | undefined> };
  /** As in the configuration. */
  readonly domains: readonly string[];
}

export class Destinations {
  readonly #clients: DestinationParts['clients'];
  readonly #domains: ReadonlySet<string | undefined>;

  constructor({ clients, domains }: DestinationParts) {
    this.#clients = clients;
    this.#domains = new Set(domains.map(parseDomain));
  }

  /** What this address stands for; undefined where it is none of ours. @throws StoreUnavailable */
  async of(address: Address): Promise<Destination | undefined> {
    const token = address.taggedLocal === address.local ? undefined : address.taggedLocal.slice(address.local.length + 1);
    const role = this.#domains.has(address.domain) ? OFFICES.get(address.local) : undefined;
    // A return path without a token is one that nobody was ever given.
    if (role !== undefined && !(role === 'return-path' && token === undefined)) return { role, client: undefined, token };
    const client = await this.#clients.byReplyAddress(address);
    return client === undefined ? undefined : { role: 'reply', client, token };
  }
}
