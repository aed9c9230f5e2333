/** Many entries in one request, each with its outcome; bodies as Mailgun, SendGrid, Postmark and Amazon SES have them are taken as well. */
import { type Static, type TObject, Type } from 'typebox';
import { type Columns, columnNamed, columnsOf, reasonSaid, timeSaid } from '../lists/columns.ts';
import type { Item, Lists, NewAct } from '../lists/lists.ts';
import type { Reason } from '../lists/standing.ts';
import { inTurns } from '../ops/turns.ts';
import type { AdminParts, App } from './app.ts';
import { campaignQuery, isWrong, readPerson, readWhom, reasonsOf, type Wrong, wrongReason } from './entries.ts';
import { type ListOf, noCampaign } from './list-routes.ts';
import { paramsOf } from './places.ts';
import { problem } from './problem.ts';
import { strict } from './schemas.ts';
import { actOf, whoOf } from './who.ts';

/** Entries of one request: one apply takes them all, with the line of the audit trail. */
export const MAX_BATCH = 9_000;
/** Entries read in one turn: a millisecond or two. */
const AT_A_TURN = 100;
const BODY_LIMIT = 8 * 1_048_576;

const text = (description: string) => Type.Optional(Type.String({ maxLength: 998, description }));
const time = (description: string) => Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Number()], { description }));
/** What platforms tell beside, and nobody needs here. */
const dropped = (description: string) => Type.Optional(Type.Unknown({ description: `${description}; not read` }));
const rowSchema = Type.Object(
  {
    address: text('An address'),
    email: text('The same, as SendGrid calls it'),
    EmailAddress: text('The same, as Postmark and Amazon SES call it'),
    domain: text('A domain, for exclusions'),
    reason: Type.Optional(
      Type.String({ maxLength: 8192, description: "Why, in our words or the platform's; of SendGrid, what the server said" }),
    ),
    Reason: text('The same, as Amazon SES calls it: BOUNCE, COMPLAINT'),
    SuppressionReason: text('The same, as Postmark calls it: HardBounce, SpamComplaint, ManualSuppression'),
    Origin: text('Of Postmark: a ManualSuppression whose origin is Recipient is an opt-out'),
    at: time('Since when, ISO 8601; now where there is none'),
    created_at: time('The same, as Mailgun calls it'),
    created: time('The same, as SendGrid calls it, in seconds since 1970'),
    CreatedAt: time('The same, as Postmark calls it'),
    LastUpdateTime: time('The same, as Amazon SES calls it'),
    tags: dropped('Of Mailgun, which marks an unsubscribe'),
    code: dropped('Of Mailgun, which with `error` marks a bounce'),
    error: dropped('Of Mailgun'),
    status: dropped('Of SendGrid, which marks a bounce'),
    ip: dropped('Of SendGrid, which marks a spam report'),
    Attributes: dropped('Of Amazon SES'),
    TenantName: dropped('Of Amazon SES'),
  },
  strict,
);
type Row = Static<typeof rowSchema>;

const rows = Type.Array(Type.Union([Type.String({ maxLength: 998 }), rowSchema]), { maxItems: MAX_BATCH });
const shape = (fields: TObject['properties'], description: string) => Type.Object(fields, { ...strict, description });
const bodySchema = Type.Union(
  [
    Type.Object({ entries: rows }, strict),
    { ...rows, description: 'As Mailgun takes them, and as SendGrid answers' },
    shape({ items: rows, paging: dropped('Addresses of pages') }, 'As Mailgun answers'),
    shape({ recipient_emails: rows }, 'As SendGrid takes them'),
    shape({ Suppressions: rows }, 'As Postmark takes them and answers'),
    shape({ SuppressedDestinationSummaries: rows, NextToken: dropped('Of the next page') }, 'As Amazon SES answers'),
    shape({ SuppressedDestination: rowSchema }, 'As Amazon SES answers for one'),
    { ...rowSchema, required: ['address'], description: 'One alone, as Mailgun answers it' },
    { ...rowSchema, required: ['EmailAddress'], description: 'One alone, as Amazon SES takes it' },
  ],
  {
    examples: [
      { entries: [{ address: 'jane@customer.example', reason: 'manual' }, 'joe@customer.example'] },
      [{ address: 'kim@customer.example', tags: ['*'], created_at: 'Fri, 21 Oct 2022 11:02:55 GMT' }],
      { recipient_emails: ['lee@customer.example'] },
      [{ created: 1443651125, email: 'tim@customer.example', reason: '550 5.1.1 No such user', status: '5.1.1' }],
      { Suppressions: [{ EmailAddress: 'ann@customer.example', SuppressionReason: 'HardBounce', Origin: 'Recipient' }] },
      { SuppressedDestinationSummaries: [{ EmailAddress: 'max@customer.example', Reason: 'COMPLAINT', LastUpdateTime: 1586552585.077 }] },
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
            reason: Type.Optional(
              Type.Enum([...reasons], { description: "Of entries that do not say; else `manual`, of a platform's body `import`" }),
            ),
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
      const { campaign, atomic = false } = request.query;
      const scope = place.scope(request, campaign);
      if (scope === undefined) return noCampaign(reply);
      const asked = request.query.reason as Reason | undefined;
      const wrong = asked === undefined ? undefined : wrongReason(asked, reasons, request.actor);
      if (wrong !== undefined) return problem(reply, 'invalid', 'see errors', [wrong]);
      const { given, ours, below } = rowsOf(request.body);
      const act = actOf(request.actor);
      // What a platform's list says is what a file of it would say, whoever hands it over.
      const rest: NewAct = ours ? { reason: asked ?? 'manual', ...act } : { reason: asked ?? 'import', ...act, source: 'import' };
      const own = reasonsOf(reasons, request.actor);
      const reading = { rest, own, ours, kinds: new Kinds() };
      const read = await inTurns(given, AT_A_TURN, piece => piece.map(row => itemOf(lists, list, row, reading)));
      const bad = read.flatMap((item, index) => (typeof item === 'string' ? [{ index, error: item }] : []));
      if (atomic && bad.length > 0) {
        const errors = bad.slice(0, 50).map(({ index, error }) => ({ field: `${below}${index}`, message: error }));
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

interface Given {
  readonly given: readonly (string | Row)[];
  /** Said in our own shape, not a platform's. */
  readonly ours: boolean;
  /** What stands before the index of a row in the name of its field. */
  readonly below: string;
}

const LISTS = ['entries', 'items', 'recipient_emails', 'Suppressions', 'SuppressedDestinationSummaries'] as const;

function rowsOf(body: Static<typeof bodySchema>): Given {
  if (Array.isArray(body)) return { given: body, ours: false, below: '' };
  const fields = body as Readonly<Record<string, unknown>>;
  const name = LISTS.find(one => fields[one] !== undefined);
  if (name !== undefined) return { given: fields[name] as Given['given'], ours: name === 'entries', below: `${name}.` };
  return { given: [(fields.SuppressedDestination ?? fields) as Row], ours: false, below: '' };
}

interface Reading {
  /** What a row does not say itself. */
  readonly rest: NewAct;
  /** Reasons that may be given. */
  readonly own: readonly Reason[];
  readonly ours: boolean;
  readonly kinds: Kinds;
}

/** What rows of one kind say, told by the names of their members. */
interface Kind {
  readonly columns: Columns | undefined;
  /** A column that two members name. */
  readonly twice: string | undefined;
}

/** The kinds of row in one body: mostly one, so its names are looked at once. */
class Kinds {
  readonly #known = new Map<string, Kind>();

  of(names: readonly string[]): Kind {
    const key = names.join('\0');
    let kind = this.#known.get(key);
    if (kind === undefined) {
      const said = names.flatMap(name => columnNamed(name) ?? []);
      kind = { columns: columnsOf(names), twice: said.find((column, i) => said.indexOf(column) < i) };
      this.#known.set(key, kind);
    }
    return kind;
  }
}

/** What a row lists, read as a row of a file is; or what is wrong with it, in words that do not repeat it. */
function itemOf(lists: Lists, list: ListOf['list'], given: string | Row, { rest, own, ours, kinds }: Reading): Item | string {
  const row = typeof given === 'string' ? { address: given } : given;
  const cells = Object.values(row).map(value => (typeof value === 'string' || typeof value === 'number' ? String(value) : ''));
  const { columns, twice } = kinds.of(Object.keys(row));
  if (twice !== undefined) return `${twice}: named twice`;
  const cell = (column: number | undefined): string | undefined => (column === undefined ? undefined : cells[column]);
  const [address, domain] = [cell(columns?.address), cell(columns?.domain)];
  const whom = { ...(address === undefined ? {} : { address }), ...(domain === undefined ? {} : { domain }) };
  const target = list === 'exclusion' ? readWhom(whom) : domain === undefined ? readPerson('address', address ?? '') : wrongList;
  if (isWrong(target)) return target.errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  if (columns === undefined) return 'address: is missing';
  const reason = reasonSaid(cells, columns);
  if (reason === undefined ? ours && columns.reason !== undefined : !own.includes(reason)) return `reason: use one of ${own.join(', ')}`;
  const at = timeSaid(cells, columns);
  if (at === undefined && columns.at !== undefined) return 'at: no time; write it like 2026-03-01T12:00:00Z';
  const act = { ...rest, ...(reason === undefined ? {} : { reason }), ...(at === undefined ? {} : { at }) };
  if (list === 'suppression' && target.local !== undefined) return lists.personItem(target, act);
  const item = lists.item(target, act);
  return 'problem' in item ? `${target.local === undefined ? 'domain' : 'address'}: ${item.problem}` : item;
}

const wrongList: Wrong = { errors: [{ field: 'domain', message: 'suppressions are of people; exclude the domain' }] };
