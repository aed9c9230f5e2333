/** The two places where lists are: a client's own and its campaigns', and those of all clients. */
import type { FastifyRequest } from 'fastify';
import { type TObject, Type } from 'typebox';
import type { Role } from '../accounts/account.ts';
import type { Scope as TokenScope } from '../accounts/scopes.ts';
import { type CampaignId, GLOBAL } from '../ids.ts';
import type { Scope, Standing } from '../lists/standing.ts';
import type { Address } from '../mail/address.ts';
import type { AdminParts } from './app.ts';
import { campaignQuery } from './entries.ts';
import { clientIdSchema } from './schemas.ts';

export interface Place {
  readonly path: '/v1/clients/:client' | '/v1/global';
  readonly params: TObject['properties'];
  /** What names a campaign in a query; nothing where there are none. */
  readonly query: typeof campaignQuery | Record<never, never>;
  /** Besides admins, operators and officers. */
  readonly also: readonly Role[];
  /** For summaries. */
  readonly whose: string;
  needs(resource: 'exclusions' | 'suppressions' | 'imports', verb: 'read' | 'write'): TokenScope;
  /** Whose lists they are. */
  owner(request: FastifyRequest): Scope['owner'];
  /** The scope that the request means; undefined where there is no such campaign. */
  scope(request: FastifyRequest, campaign: string | undefined): Scope | undefined;
  /** What the lists say of an address there; without a campaign, all of the client's count, as for mail that names none. */
  standing(lists: AdminParts['lists'], request: FastifyRequest, address: Address, campaign: string | undefined): Promise<Standing>;
}

export const OF_CLIENT: Place = {
  path: '/v1/clients/:client',
  params: { client: clientIdSchema },
  query: campaignQuery,
  also: ['client'],
  whose: 'of a client, or of one of its campaigns',
  needs: (resource, verb) => `${resource}:${verb}`,
  owner: ({ profile }) => profile.id,
  scope({ profile }, campaign) {
    if (campaign === undefined) return { owner: profile.id };
    const known = profile.campaigns.get(campaign as CampaignId);
    return known && { owner: profile.id, campaign: known.id };
  },
  standing: (lists, { profile }, address, campaign) =>
    lists.standing(address, profile.id, campaign === undefined ? [...profile.campaigns.keys()] : [campaign as CampaignId]),
};

export const OF_ALL: Place = {
  path: '/v1/global',
  params: {},
  query: {},
  also: [],
  whose: 'of all clients',
  needs: (_resource, verb) => `global:${verb}`,
  owner: () => GLOBAL,
  scope: () => ({ owner: GLOBAL }),
  standing: (lists, _request, address) => lists.standing(address, undefined, []),
};

/** The params of a place, and of one entry there. */
export function paramsOf(place: Place, more: TObject['properties'] = {}) {
  return Type.Object({ ...place.params, ...more });
}
