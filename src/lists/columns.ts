/** Which columns of an export mean what: Mailgun, SES, SendGrid, Postmark, OPTIZMO and our own, told by their header row. */
import { REASONS, type Reason, SOURCES, type Source } from './standing.ts';

/** Where in a row the parts of an entry stand; undefined where the file has no such column. */
export interface Columns {
  readonly address: number | undefined;
  readonly domain: number | undefined;
  readonly hash: number | undefined;
  readonly reason: number | undefined;
  readonly origin: number | undefined;
  readonly source: number | undefined;
  readonly at: number | undefined;
  /** What every row of such a file means, where the kind of file says so. */
  readonly implied: Reason | undefined;
}

/** Header cells that are known, in lower case and without anything but letters and digits. docs/import.md names them. */
export const COLUMN_NAMES: Readonly<Record<'address' | 'domain' | 'hash' | 'reason' | 'origin' | 'source' | 'at', readonly string[]>> = {
  address: [
    'address',
    'email',
    'emailaddress',
    'mail',
    'recipient',
    'rcpt',
    'contactemail',
    'emailadresse',
    'adresseemail',
    'subscriber',
    'username',
  ],
  domain: ['domain', 'domainname', 'emaildomain', 'companydomain'],
  hash: [
    'hash',
    'digest',
    'md5',
    'sha1',
    'sha256',
    'md5hash',
    'sha1hash',
    'sha256hash',
    'emailmd5',
    'emailsha1',
    'emailsha256',
    'emailhash',
  ],
  reason: ['reason', 'suppressionreason', 'type', 'bouncetype'],
  origin: ['origin'],
  source: ['source'],
  at: [
    'at',
    'createdat',
    'created',
    'lastupdatetime',
    'lastupdate',
    'date',
    'timestamp',
    'addedat',
    'suppressedat',
    'bouncedat',
    'optoutdate',
  ],
};

const normal = (cell: string): string => cell.toLowerCase().replace(/[^a-z0-9]/g, '');

/** The column that a header cell, or a member of an object, means. */
export function columnNamed(text: string): keyof typeof COLUMN_NAMES | undefined {
  const name = normal(text);
  return (Object.keys(COLUMN_NAMES) as (keyof typeof COLUMN_NAMES)[]).find(column => COLUMN_NAMES[column].includes(name));
}

/** The columns that a header row names, or undefined where the row is no header but the first entry. */
export function columnsOf(cells: readonly string[]): Columns | undefined {
  const names = cells.map(normal);
  const find = (kind: keyof typeof COLUMN_NAMES): number | undefined => {
    const index = names.findIndex(name => COLUMN_NAMES[kind].includes(name));
    return index < 0 ? undefined : index;
  };
  const columns = { address: find('address'), domain: find('domain'), hash: find('hash') };
  if (columns.address === undefined && columns.domain === undefined && columns.hash === undefined) return undefined;
  return { ...columns, reason: find('reason'), origin: find('origin'), source: find('source'), at: find('at'), implied: implied(names) };
}

/** The columns of a file without a header, told by a row whose cell `entry` lists somebody; SES takes and gives `address,BOUNCE`. */
export function columnsWithoutHeader(cells: readonly string[], entry: number, hashed: boolean): Columns {
  const reason = cells.findIndex((cell, i) => i !== entry && knownReason(cell) !== undefined);
  return {
    address: hashed ? undefined : entry,
    hash: hashed ? entry : undefined,
    domain: undefined,
    reason: reason < 0 ? undefined : reason,
    origin: undefined,
    source: undefined,
    at: undefined,
    implied: undefined,
  };
}

/** Mailgun and SendGrid keep one list a kind and do not repeat the kind in each row. */
function implied(names: readonly string[]): Reason | undefined {
  const has = (...wanted: string[]): boolean => wanted.every(name => names.includes(name));
  if (has('address', 'tags')) return 'opt-out';
  if (has('address', 'code', 'error') || has('email', 'status', 'reason', 'created')) return 'bounce';
  if (has('email', 'ip', 'created')) return 'complaint';
  return undefined;
}

/** The platforms' words for why somebody is on their list, beside our own reasons. docs/import.md names them. */
export const REASON_WORDS: Readonly<Record<string, Reason>> = {
  bounce: 'bounce',
  hardbounce: 'bounce',
  bounced: 'bounce',
  invalid: 'bounce',
  complaint: 'complaint',
  spamcomplaint: 'complaint',
  spamreport: 'complaint',
  spam: 'complaint',
  abuse: 'complaint',
  unsubscribe: 'opt-out',
  unsubscribed: 'opt-out',
  unsubscription: 'opt-out',
  optout: 'opt-out',
  manualsuppression: 'manual',
};

export interface Meaning {
  readonly reason: Reason;
  readonly source: Source;
  /** Milliseconds since 1970 UTC; absent where the file does not say. */
  readonly at?: number;
}

function knownReason(cell: string): Reason | undefined {
  const word = cell.trim().toLowerCase();
  return REASONS.find(reason => reason === word) ?? REASON_WORDS[normal(word)];
}

function cellAt(cells: readonly string[], index: number | undefined): string {
  return index === undefined ? '' : (cells[index] ?? '').trim();
}

/** The reason that an object gives; where nobody knows it, what its kind implies, which its names tell. */
export function reasonByKind(names: readonly string[], given: unknown): unknown {
  const known = typeof given === 'string' && knownReason(given) !== undefined;
  return known ? given : (implied(names.map(normal)) ?? given);
}

/** Why a row says that it lists somebody: in our words, a platform's, or by the kind of row that it is; undefined: nobody can tell. */
export function reasonSaid(cells: readonly string[], columns: Columns): Reason | undefined {
  const given = cellAt(cells, columns.reason);
  // Postmark: a ManualSuppression whose origin is the recipient is their unsubscribe.
  if (normal(given) === 'manualsuppression' && normal(cellAt(cells, columns.origin)) === 'recipient') return 'opt-out';
  return knownReason(given) ?? columns.implied;
}

/** Since when a row says that somebody is listed, in milliseconds since 1970 UTC; undefined where it does not, or nobody can read it. */
export function timeSaid(cells: readonly string[], columns: Columns): number | undefined {
  const text = cellAt(cells, columns.at);
  if (text === '') return undefined;
  // SendGrid and the API of SES write seconds since 1970.
  const at = /^\d{9,10}(\.\d+)?$/.test(text) ? Number(text) * 1000 : /^\d{12,13}$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(at) ? Math.trunc(at) : undefined;
}

/** What a row says of reason, source and time. A reason that nobody knows is an import's; a file never makes an objection weaker. */
export function meaningOf(cells: readonly string[], columns: Columns): Meaning {
  if (columns.reason === undefined && columns.at === undefined) return { reason: columns.implied ?? 'import', source: 'import' };
  const given = cellAt(cells, columns.reason).toLowerCase();
  const own = REASONS.some(reason => reason === given);
  const reason = reasonSaid(cells, columns) ?? 'import';
  const source = own ? (SOURCES.find(name => name === cellAt(cells, columns.source).toLowerCase()) ?? 'import') : 'import';
  const at = timeSaid(cells, columns);
  return { reason, source, ...(at === undefined ? {} : { at }) };
}

/** The same in a file of a client's own platform: it cannot know who was erased or what the house decides, and so says what binds no less. */
export function platformMeaning({ reason, at }: Meaning): Meaning {
  const own = reason === 'erasure' || reason === 'review' ? 'objection' : reason === 'policy' ? 'manual' : reason;
  return { reason: own, source: 'import', ...(at === undefined ? {} : { at }) };
}
