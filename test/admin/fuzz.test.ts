/** Fuzzing from the schemas, over every route there is: no 500, no stack trace, and nothing of another client's. */
import fc from 'fast-check';
import t from 'tap';
import { parseScope } from '../../src/lists/scope.ts';
import { isAddress, parseAddress } from '../../src/mail/address.ts';
import { everyOperation, type Operation, type Schema } from './routes.ts';
import { newOffice, type Office } from './support.ts';

/** Requests a route and role. */
const RUNS = 8;
const CANARY = 'canary';
const HOOK = 'https://127.0.0.1:1/hook';

t.test('no 500, no stack trace, no address of another client', { timeout: 240_000 }, async t => {
  const office = await newOffice(t);
  await placeCanaries(office);
  const operations = await everyOperation(office.ask);
  const client = (await office.token('client')).token;
  const admin = (await office.token('admin')).token;
  for (const operation of operations) {
    await t.resolves(barrage(office, operation, client, true), `${operation.name} as a client`);
  }
  for (const operation of operations) {
    await t.resolves(barrage(office, operation, admin, false), `${operation.name} as an admin`);
  }
  t.match(await office.withToken(client)('GET', '/v1/session'), { status: 200 }, 'it still stands');
});

async function placeCanaries({ house: { lists } }: Office): Promise<void> {
  const address = parseAddress(`${CANARY}@secret.example`, { utf8: true });
  if (!isAddress(address)) throw new Error('no address');
  const scope = parseScope('other');
  if (scope === undefined) throw new Error('no scope');
  await lists.add(scope, address, { reason: 'manual', source: 'operator' });
  await lists.add(scope, { domain: `${CANARY}.example` }, { reason: 'manual', source: 'operator' });
  await lists.suppress(scope, address, { reason: 'objection', source: 'recipient' });
}

function barrage(office: Office, operation: Operation, token: string, isClient: boolean): Promise<void> {
  const property = fc.asyncProperty(requestOf(operation, isClient), async ({ path, body, type }) => {
    const response = await fetch(`${office.url}${path}`, {
      method: operation.method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await textOf(response);
    const { status } = response;
    if (status === 500 || /\n\s+at \S+.*:\d+/.test(text)) throw new Error(`${status}: ${text.slice(0, 300)}`);
    if (isClient && text.includes(CANARY) && !`${path}${body ?? ''}`.includes(CANARY))
      throw new Error(`tells of another client: ${text.slice(0, 300)}`);
    const problem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
    if (status >= 400 && !problem && operation.path.startsWith('/v1/')) throw new Error(`${status} is no problem`);
  });
  return fc.assert(property, { numRuns: RUNS, endOnFailure: true });
}

/** A stream of events goes on: its beginning will do. */
async function textOf(response: Response): Promise<string> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) return response.text();
  await response.body?.cancel();
  return '';
}

interface Asked {
  readonly path: string;
  readonly body: string | undefined;
  readonly type: string;
}

function requestOf({ path, parameters = [], requestBody }: Operation, isClient: boolean): fc.Arbitrary<Asked> {
  const clients = fc.constantFrom(...(isClient ? ['acme', 'acme', 'acme', 'other', 'nobody'] : ['acme', 'other', 'nobody']));
  const params = fc.record(
    Object.fromEntries(
      parameters
        .filter(one => one.in === 'path')
        .map(({ name, schema = {} }) => [
          name,
          name === 'client' ? clients : fc.oneof(fc.constantFrom('spring', 'absent', '0'), textLike(schema), HOSTILE_TEXT),
        ]),
    ),
  );
  const queries = fc.record(
    Object.fromEntries(
      parameters
        .filter(one => one.in === 'query')
        .map(({ name, schema = {} }) => [name, fc.option(likely(schema, name), { nil: undefined })]),
    ),
  );
  const [type = 'application/json', media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  const json = fc
    .oneof({ weight: 4, arbitrary: likely(media?.schema ?? {}, '') }, { weight: 1, arbitrary: HOSTILE })
    .map(value => JSON.stringify(value) ?? 'null');
  const body =
    requestBody === undefined
      ? fc.constant(undefined)
      : type.includes('json')
        ? json
        : fc.oneof(fc.string(), fc.constant('email\njo@widgets.example\n'));
  return fc.record({ params, queries, body }).map(asked => {
    const given = Object.entries(asked.queries).filter(([, one]) => one !== undefined);
    const search = new URLSearchParams(
      given.map(([name, one]): [string, string] => [name, typeof one === 'string' ? wellFormed(one) : JSON.stringify(one)]),
    );
    const filled = path.replace(/\{([^}]+)\}/g, (_, name: string) =>
      encodeURIComponent(wellFormed(String((asked.params as Record<string, unknown>)[name] || 'x'))),
    );
    return { path: `${filled}${given.length === 0 ? '' : `?${search}`}`, body: asked.body, type };
  });
}

/** Without the halves of characters, which no URL can hold. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

const HOSTILE_TEXT = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '\0',
    '../../etc/passwd',
    '__proto__',
    'constructor',
    '%00',
    '"; DROP',
    '{{7*7}}',
    'a@b',
    `${CANARY}.example`,
    '9'.repeat(40),
    'x'.repeat(3_000),
    '-1',
    '1e309',
    'NaN',
    '2026-13-45',
  ),
);
const HOSTILE = fc.oneof(
  HOSTILE_TEXT,
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant(JSON.parse('{"__proto__":{"role":"admin"}}')),
  fc.constantFrom(null, -1, 1e308, [], {}, [null]),
);

/** Mostly what the schema asks for; now and then anything. */
function likely(schema: Schema, name: string): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 8, arbitrary: fitting(schema, name) }, { weight: 1, arbitrary: HOSTILE });
}

function fitting(schema: Schema, name: string): fc.Arbitrary<unknown> {
  const branches = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined;
  if (branches !== undefined) return fc.oneof(...branches.map(branch => fitting(branch, name)));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object': {
      const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
      const required = (schema.required ?? []) as string[];
      const fields = properties.map(([field, below]) => [
        field,
        required.includes(field) ? likely(below, field) : fc.option(likely(below, field), { nil: undefined }),
      ]);
      return fc.record(Object.fromEntries(fields));
    }
    case 'array':
      return fc.array(likely((schema.items ?? {}) as Schema, name), { maxLength: 4 });
    case 'integer':
    case 'number':
      return fc.integer({
        min: Number(schema.minimum ?? -10),
        max: Math.max(Number(schema.minimum ?? -10), Math.min(Number(schema.maximum ?? 1_000), 1_000_000)),
      });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return textLike(schema, name);
    default:
      return HOSTILE;
  }
}

const TEXTS: Readonly<Record<string, readonly string[]>> = {
  address: ['jo@widgets.example', '"j o"@widgets.example', 'jo+x@xn--bcher-kva.example'],
  domain: ['widgets.example', 'xn--bcher-kva.example'],
  from: ['2026-01-01T00:00:00Z', 'jo@acme.example'],
  to: ['2026-12-31T00:00:00Z', 'jo@widgets.example'],
};

function textLike(schema: Schema, name = ''): fc.Arbitrary<string> {
  // Nothing that is tested here may make the server call on strangers.
  if (/url|uri|hook|endpoint/i.test(name) || schema.format === 'uri') return fc.constant(HOOK);
  if (schema.format === 'date-time')
    return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map(date => date.toISOString());
  const plain =
    typeof schema.pattern === 'string' ? fc.stringMatching(new RegExp(schema.pattern), { maxLength: 60 }) : fc.string({ maxLength: 30 });
  const known = TEXTS[name];
  return known === undefined ? plain : fc.oneof(fc.constantFrom(...known), plain);
}
