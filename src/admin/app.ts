/** What routes are written against: the Fastify instance with our schemas' types, what a request carries, and what a route must say. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { Actor, Role } from '../accounts/account.ts';
import type { Accounts, Admitted } from '../accounts/accounts.ts';
import type { Scope } from '../accounts/scopes.ts';
import type { Audit } from '../audit/audit.ts';
import type { Clients } from '../clients/clients.ts';
import type { Profile } from '../clients/profile.ts';
import type { Endpoints } from '../hooks/endpoints.ts';
import type { Outbox } from '../hooks/outbox.ts';
import type { Standings } from '../hooks/standing.ts';
import type { Decisions } from '../journal/decisions.ts';
import type { StoredReplies } from '../journal/replies.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Vault } from '../keys/vault.ts';
import type { Ledger } from '../lists/ledger.ts';
import type { Lists } from '../lists/lists.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { PolicyBook } from '../policy/book.ts';
import type { CurrentPolicies } from '../policy/current.ts';
import type { Upstreams } from '../relay/upstreams.ts';
import type { Store } from '../store/store.ts';
import type { Alerts } from '../watch/alerts.ts';
import type { Importer } from './import-process.ts';
import type { AdminOptions } from './options.ts';

export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>;

/** What the routes stand on: the house, as far as they need it. */
export interface AdminParts {
  readonly options: AdminOptions;
  readonly baseDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly keyring: Keyring;
  readonly accounts: Accounts;
  readonly clients: Clients;
  readonly audit: Audit;
  readonly lists: Lists;
  readonly decisions: Decisions;
  readonly replies: StoredReplies;
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly upstreams: Upstreams;
  readonly importer: Importer;
  /** Whether the disk has room for what an import puts aside. */
  readonly hasSpoolRoom: () => Promise<boolean>;
  readonly alerts: Alerts;
  readonly policyBook: PolicyBook;
  /** As the gate asks them. */
  readonly policies: CurrentPolicies;
  /** Names the campaign of a message. */
  readonly campaignHeader: string;
  readonly endpoints: Endpoints;
  readonly outbox: Outbox;
  readonly standings: Standings;
  readonly metrics: Metrics;
  /** Networks that may read the metrics without a token. */
  readonly metricsFrom: readonly string[];
  /** The metrics of all processes of this gate, in Prometheus' text format. */
  readonly exposition: () => Promise<string>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may; `anyone`: without a login, too. A route that does not say so fails at start. */
    roles?: readonly Role[] | 'anyone';
    /** What an API token needs beside its account's role. */
    scope?: Scope;
    /** Works before the security policy was agreed to, too. */
    evenBeforeAcceptance?: true;
    /** Octets of a body that is handed on as it comes; of others bodyLimit says it. */
    streamLimit?: number;
  }
  interface FastifyRequest {
    /** Who asks; set on every route that asks for a role. */
    actor: Actor;
    /** The same with the account; set where actor is. */
    admitted: Admitted;
    /** The client named in the path, removed ones too; set on every route under /v1/clients/:client. */
    profile: Profile;
  }
}
