/** List entries as the API tells them: their schemas, what is told to whom, and what names one in a request. */
import { type Static, Type } from 'typebox';
import type { Actor } from '../accounts/account.ts';
import type { EntryName, ListEntry } from '../lists/lists.ts';
import { readTarget } from '../lists/row-entry.ts';
import { scopeName } from '../lists/scope.ts';
import { type Act, REASONS, type Reason, type Scope, SOURCES, type Standing, type Target } from '../lists/standing.ts';
import { type Address, isAddress, parsePerson } from '../mail/address.ts';
import type { FieldError } from './problem.ts';
import { campaignIdSchema, isoTimeSchema, pageOf, pageQuery, strict } from './schemas.ts';

const reasonSchema = Type.Enum([...REASONS], { description: 'Why somebody is listed' });
const sourceSchema = Type.Enum([...SOURCES], { description: 'Who said so' });
const actSchema = Type.Object(
  { reason: reasonSchema, source: sourceSchema, at: isoTimeSchema, by: Type.Optional(Type.String({ description: 'Account or person' })) },
  strict,
);

export const entrySchema = Type.Object(
  {
    id: Type.String({ description: 'Names the entry within its scope and list: a keyed digest' }),
    list: Type.Enum(['exclusion', 'suppression']),
    scope: Type.String({ description: 'global, <client> or <client>/<campaign>', examples: ['acme/spring'] }),
    match: Type.Enum(['address', 'domain', 'hash'], { description: 'hash: imported as the hash of an address' }),
    address: Type.Optional(Type.String({ description: 'Of an exclusion; a suppression can be read back by nobody' })),
    domain: Type.Optional(Type.String({ description: 'Of an exclusion; its subdomains are listed with it' })),
    acts: Type.Array(actSchema, {
      description: 'One a reason, the first there was; empty where the entry cannot be read, which lists all the same',
    }),
  },
  {
    ...strict,
    examples: [
      {
        id: '0c9f6e0d8a3b4f5c9e1d2a7b6c5d4e3f',
        list: 'exclusion',
        scope: 'acme',
        match: 'address',
        address: 'jane@customer.example',
        acts: [{ reason: 'manual', source: 'operator', at: '2026-03-01T12:00:00.000Z', by: 'ann' }],
      },
    ],
  },
);
export type ShownEntry = Static<typeof entrySchema>;

export const entryPageSchema = pageOf(entrySchema);

export const checkSchema = Type.Object(
  {
    listed: Type.Boolean({ description: 'Whether this address may not be mailed' }),
    entries: Type.Array(
      Type.Object(
        {
          scope: Type.String(),
          list: Type.Enum(['exclusion', 'suppression']),
          match: Type.Enum(['address', 'domain', 'hash']),
          reason: Type.Union([reasonSchema, Type.Null()], { description: 'null: the entry cannot be read, and counts as listed' }),
          source: Type.Union([sourceSchema, Type.Null()]),
          at: Type.Union([isoTimeSchema, Type.Null()]),
        },
        strict,
      ),
      {
        description:
          "One for each reason. A client's own account is told its own entries only, so there may be none although listed is true",
      },
    ),
  },
  strict,
);

type ShownStanding = Static<typeof checkSchema>;

export const addressSchema = Type.String({ minLength: 3, maxLength: 998, description: 'An address, like jane@example.com' });
export const domainSchema = Type.String({
  minLength: 3,
  maxLength: 256,
  description: 'A domain, like example.com; its subdomains are listed with it',
});
const lines = '^[^\\x00-\\x1f\\x7f]*$';
export const whySchema = Type.String({
  minLength: 1,
  maxLength: 500,
  pattern: lines,
  description: 'Why: needed to lift what a recipient caused',
});

export const idParam = Type.String({
  pattern: '^[0-9a-f]{32}$',
  description: 'Id of an entry',
  examples: ['0c9f6e0d8a3b4f5c9e1d2a7b6c5d4e3f'],
});

/** What asks for entries. */
export const entryQuery = {
  ...pageQuery,
  cursor: Type.Optional(Type.String({ pattern: '^[0-9a-f]{32}$', description: 'The `next` of the page before' })),
  reason: Type.Optional(reasonSchema),
  address: Type.Optional(addressSchema),
};
export const campaignQuery = {
  campaign: Type.Optional({ ...campaignIdSchema, description: 'Of this campaign; without it, of the client itself' }),
};

/** Reasons that the house alone gives and takes back: who was erased an officer says, what policy is an operator, and a review is the inbound side's. */
const HOUSE_REASONS: readonly Reason[] = ['erasure', 'review', 'policy'];

/** Of `reasons` those that this actor may give; a client's platform may say nothing that it could not know. */
export function reasonsOf<R extends Reason>(reasons: readonly R[], { role }: Pick<Actor, 'role'>): readonly R[] {
  return role === 'client' ? reasons.filter(reason => !HOUSE_REASONS.includes(reason)) : reasons;
}

/** What is wrong with a reason that is not this actor's to give. */
export function wrongReason(reason: Reason, reasons: readonly Reason[], actor: Pick<Actor, 'role'>): FieldError | undefined {
  const own = reasonsOf(reasons, actor);
  if (own.includes(reason)) return undefined;
  return { field: 'reason', message: `${reason} is not for a client's account to give`, fix: `use one of ${own.join(', ')}` };
}

/** To whom an erasure is told as what it is: to anybody else, whoever was erased is one who objected. */
function mayKnowErased({ role }: Pick<Actor, 'role'>): boolean {
  return role === 'officer' || role === 'admin';
}

/** The acts as this actor may know them. One a reason, the earliest, also where two became the same. */
export function toldActs<A extends Act>(acts: readonly A[], actor: Pick<Actor, 'role'>): readonly A[] {
  if (mayKnowErased(actor) || !acts.some(({ reason }) => reason === 'erasure')) return acts;
  const told = new Map<string, A>();
  for (const act of acts) {
    const one = act.reason === 'erasure' ? { ...act, reason: 'objection' as const } : act;
    const known = told.get(one.reason);
    if (known === undefined || one.at < known.at) told.set(one.reason, one);
  }
  return [...told.values()];
}

export function shownEntry({ id, list, match, target, acts }: ListEntry, scope: Scope, actor: Pick<Actor, 'role'>): ShownEntry {
  return {
    id,
    list,
    scope: scopeName(scope),
    match,
    ...(target === undefined ? {} : match === 'domain' ? { domain: target } : { address: target }),
    acts: toldActs(acts, actor).map(({ reason, source, at, by }) => ({
      reason,
      source,
      at: new Date(at).toISOString(),
      ...(by === undefined || actor.role === 'client' ? {} : { by }),
    })),
  };
}

/** What the lists say of somebody, as this actor may know it: of other scopes than the client's own, its accounts learn only that. */
export function shownStanding(standing: Standing, actor: Pick<Actor, 'role' | 'client'>): ShownStanding {
  return {
    listed: standing.length > 0,
    entries: toldTo(standing, actor).flatMap(({ scope, list, match, acts }): ShownStanding['entries'] => {
      const where = { scope: scopeName(scope), list, match };
      if (acts.length === 0) return [{ ...where, reason: null, source: null, at: null }];
      return toldActs(acts, actor).map(({ reason, source, at }) => ({ ...where, reason, source, at: new Date(at).toISOString() }));
    }),
  };
}

/** Why somebody is listed, as this actor may know it. */
export function toldReasons(standing: Standing, actor: Pick<Actor, 'role' | 'client'>): readonly string[] {
  return [...new Set(toldTo(standing, actor).flatMap(({ acts }) => toldActs(acts, actor).map(({ reason }) => reason)))];
}

function toldTo(standing: Standing, { client }: Pick<Actor, 'client'>): Standing {
  return client === undefined ? standing : standing.filter(({ scope }) => scope.owner === client);
}

/** What a request said wrong of whom it means; never repeats it. */
export interface Wrong {
  readonly errors: readonly FieldError[];
}

/** The person in `text`. */
export function readPerson(field: string, text: string): Address | Wrong {
  const address = parsePerson(text);
  if (isAddress(address)) return address;
  return { errors: [{ field, message: `not an address: ${address.detail}`, fix: 'write it like jane@example.com' }] };
}

/** The same of a query, in which a `+` that is not written as %2B became a blank: before the name, that would be somebody else's address. */
export function readAskedPerson(field: string, text: string): Address | Wrong {
  const person = readPerson(field, text);
  if (!text.includes(' ') || (!isWrong(person) && !text.startsWith(' '))) return person;
  return { errors: [{ field, message: 'not an address: holds a blank', fix: 'write + as %2B: in a query, + itself is a blank' }] };
}

/** Whom an exclusion means: exactly one of the two fields. */
export function readWhom(whom: { readonly address?: string; readonly domain?: string }, read = readPerson): Target | Wrong {
  const { address, domain } = whom;
  if ((address === undefined) === (domain === undefined))
    return {
      errors: [
        { field: address === undefined ? 'address' : 'domain', message: 'exactly one of address and domain', fix: 'name one of them' },
      ],
    };
  if (address !== undefined) return read('address', address);
  const target = readTarget(domain as string);
  if (typeof target !== 'string' && target.local === undefined) return target;
  const message = typeof target === 'string' ? target : 'is an address, no domain';
  return { errors: [{ field: 'domain', message, fix: 'write it like example.com' }] };
}

export function isWrong(read: EntryName | Target | Wrong): read is Wrong {
  return 'errors' in read;
}
