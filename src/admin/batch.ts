/** Many entries in one request, each with its outcome; bodies as Mailgun, SendGrid, Postmark and Amazon SES have them are taken as well. */
import { setImmediate as turn } from 'node:timers/promises';
import { type Static, Type } from 'typebox';
import { REASON_WORDS } from '../lists/columns.ts';
import type { Item, Lists, NewAct } from '../lists/lists.ts';
import type { Reason } from '../lists/standing.ts';
import type { AdminParts, App } from './app.ts';
import { campaignQuery, isWrong, readPerson, readWhom, reasonsOf, type Wrong, wrongReason } from './entries.ts';
import { type ListOf, noCampaign } from './list-routes.ts';
import { paramsOf } from './places.ts';
import { problem } from './problem.ts';
import { strict } from './schemas.ts';
import { actOf, whoOf } from './who.ts';

/** Entries of one request: one apply takes them all, with the line of the audit trail. */
export const MAX_BATCH = 9_000;
/** Entries read at a stretch, between which mail has its turn. */
const STRETCH = 200;
const BODY_LIMIT = 8 * 1_048_576;

const text = (description: string) => Type.Optional(Type.String({ maxLength: 998, description }));
const rowSchema = Type.Object(
  {
    address: text('An address'),
    email: text('The same, as SendGrid calls it'),
    EmailAddress: text('The same, as Postmark and Amazon SES call it'),
    domain: text('A domain, for exclusions'),
    reason: text("Why, in our words or the platform's; the query's where there is none"),
    Reason: text('The same, as Amazon SES calls it: BOUNCE, COMPLAINT'),
    SuppressionReason: text('The same, as Postmark calls it: HardBounce, SpamComplaint, ManualSuppression'),
    at: text('Since when, ISO 8601; now where there is none'),
    created_at: text('The same, as Mailgun calls it'),
    CreatedAt: text('The same, as Postmark calls it'),
  },
  strict,
);
type Row = Static<typeof rowSchema>;

const rows = Type.Array(Type.Union([Type.String({ maxLength: 998 }), rowSchema]), { maxItems: MAX_BATCH });
const bodySchema = Type.Union(
  [
    Type.Object({ entries: rows }, strict),
    { ...rows, description: 'The entries alone, as Mailgun takes them' },
    Type.Object({ recipient_emails: rows }, { ...strict, description: 'As SendGrid takes them' }),
    Type.Object({ Suppressions: rows }, { ...strict, description: 'As Postmark takes them' }),
  ],
  {
    examples: [
      { entries: [{ address: 'jane@customer.example', reason: 'manual' }, 'joe@customer.example'] },
      [{ address: 'kim@customer.example', created_at: 'Fri, 21 Oct 2022 11:02:55 GMT' }],
      { recipient_emails: ['lee@customer.example'] },
      { Suppressions: [{ EmailAddress: 'ann@customer.example' }] },
    ],
  },
);

const resultSchema = Type.Object(
  {
    added: Type.Integer({ description: 'Listed now' }),
    existing: Type.Integer({ description: 'Listed already, or further up in the batch' }),
    invalid: Type.Integer(),
    items: Type.Array(
      Type.Object(
        {
          index: Type.Integer(),
          outcome: Type.Enum(['added', 'existing', 'invalid']),
          error: Type.Optional(Type.String({ description: 'Never repeats the entry' })),
        },
        strict,
      ),
    ),
  },
  { ...strict, examples: [{ added: 1, existing: 0, invalid: 0, items: [{ index: 0, outcome: 'added' }] }] },
);
type Result = Static<typeof resultSchema>;

export function addBatchRoute(
  app: App,
  { lists }: AdminParts,
  { place, list, resource, reasons }: ListOf & { readonly reasons: readonly Reason[] },
): void {
  app.post(
    `${place.path}/${resource}/batch`,
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        summary: `Adds up to ${MAX_BATCH} ${resource} ${place.whose}, each with its outcome`,
        description:
          'Good entries are listed and bad ones told by their index. With `atomic` a bad one refuses them all (422), and the good ones are listed in one step.',
        tags: [resource],
        params: paramsOf(place),
        querystring: Type.Object(
          {
            ...campaignQuery,
            reason: Type.Enum([...reasons], { default: 'manual', description: 'Of entries that do not say' }),
            atomic: Type.Optional(Type.Boolean({ description: 'Nothing or all' })),
          },
          strict,
        ),
        body: bodySchema,
        response: { 200: resultSchema },
      },
      config: { roles: ['admin', 'operator', 'officer', ...place.also], scope: place.needs(resource, 'write') },
    },
    async (request, reply) => {
      const { campaign, reason, atomic = false } = request.query;
      const scope = place.scope(request, campaign);
      if (scope === undefined) return noCampaign(reply);
      const wrong = wrongReason(reason as Reason, reasons, request.actor);
      if (wrong !== undefined) return problem(reply, 'invalid', 'see errors', [wrong]);
      const act = { reason: reason as Reason, ...actOf(request.actor) };
      const own = reasonsOf(reasons, request.actor);
      const read: (Item | string)[] = [];
      for (const row of rowsOf(request.body)) {
        read.push(itemOf(lists, list, row, act, own));
        if (read.length % STRETCH === 0) await turn();
      }
      const bad = read.flatMap((item, index) => (typeof item === 'string' ? [{ index, error: item }] : []));
      if (atomic && bad.length > 0) {
        const errors = bad.slice(0, 50).map(({ index, error }) => ({ field: `entries.${index}`, message: error }));
        return problem(reply, 'invalid', `nothing was listed: ${bad.length} bad entries`, errors);
      }
      const good = read.filter(item => typeof item !== 'string');
      const merged = await lists.addItems(scope, list, good, { whole: atomic, who: whoOf(request.actor) });
      let next = 0;
      const items = read.map((item, index): Result['items'][number] =>
        typeof item === 'string' ? { index, outcome: 'invalid', error: item } : { index, outcome: merged[next++] as 'added' | 'existing' },
      );
      const count = (outcome: string): number => items.filter(item => item.outcome === outcome).length;
      return { added: count('added'), existing: count('existing'), invalid: bad.length, items };
    },
  );
}

function rowsOf(body: Static<typeof bodySchema>): readonly (string | Row)[] {
  if (Array.isArray(body)) return body;
  return Object.values(body as Readonly<Record<string, readonly (string | Row)[]>>)[0] ?? [];
}

/** What a row lists, or what is wrong with it, in words that do not repeat it. */
function itemOf(lists: Lists, list: ListOf['list'], given: string | Row, act: NewAct, reasons: readonly Reason[]): Item | string {
  const row: Row = typeof given === 'string' ? { address: given } : given;
  const addresses = [row.address, row.email, row.EmailAddress].filter(one => one !== undefined);
  if (addresses.length > 1) return 'address: named twice';
  const [address] = addresses;
  const whom = { ...(address === undefined ? {} : { address }), ...(row.domain === undefined ? {} : { domain: row.domain }) };
  const target = list === 'exclusion' ? readWhom(whom) : row.domain === undefined ? readPerson('address', address ?? '') : wrongList;
  if (isWrong(target)) return target.errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  const word = row.reason ?? row.Reason ?? row.SuppressionReason;
  const reason = word === undefined ? act.reason : reasonOf(word, reasons);
  if (reason === undefined) return `reason: use one of ${reasons.join(', ')}`;
  const since = row.at ?? row.created_at ?? row.CreatedAt;
  const at = since === undefined ? undefined : Date.parse(since);
  if (Number.isNaN(at)) return 'at: no time; write it like 2026-03-01T12:00:00Z';
  const own = { ...act, reason, ...(at === undefined ? {} : { at }) };
  if (list === 'suppression' && target.local !== undefined) return lists.personItem(target, own);
  const item = lists.item(target, own);
  return 'problem' in item ? `${target.local === undefined ? 'domain' : 'address'}: ${item.problem}` : item;
}

const wrongList: Wrong = { errors: [{ field: 'domain', message: 'suppressions are of people; exclude the domain' }] };

function reasonOf(word: string, reasons: readonly Reason[]): Reason | undefined {
  const normal = word.trim().toLowerCase();
  const reason = reasons.find(name => name === normal) ?? REASON_WORDS[normal.replace(/[^a-z0-9]/g, '')];
  return reason !== undefined && reasons.includes(reason) ? reason : undefined;
}
