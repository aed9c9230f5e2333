/** The description against reality: every route says what it is, its examples fit and run, and what it answers is what it says. */
import t from 'tap';
import { Compile } from 'typebox/compile';
import { describedAnswer, everyOperation, examplesOf, fill, type Operation, type Schema } from './routes.ts';
import { type Answer, newOffice } from './support.ts';

t.test('OpenAPI 3.1: every route has a summary, a tag, its answers, and who may', async t => {
  const office = await newOffice(t);
  const document = (await office.ask('GET', '/openapi.json')).json<{ openapi: string; tags: { name: string; description: string }[] }>();
  t.match(document.openapi, /^3\.1\./);
  const names = new Set<string | undefined>();
  const used = new Set<string | undefined>();
  for (const operation of await everyOperation(office.ask)) {
    const { name, summary, tags, responses, operationId } = operation;
    t.match(summary, /^\S.{3,}/, `${name}: summary`);
    t.ok(tags !== undefined && tags.length === 1, `${name}: one tag`);
    t.match(operationId, /^(get|post|put|patch|delete)([A-Z][a-z]+)+$/, `${name}: operationId`);
    t.notOk(names.has(operationId), `${name}: an operationId of its own`);
    names.add(operationId);
    used.add(tags?.[0]);
    for (const { description } of Object.values(responses))
      t.notMatch(description, /^(Default Response)?$/, `${name}: words for its answers`);
    const good = Object.keys(responses).filter(status => status.startsWith('2'));
    t.ok(good.length > 0, `${name}: what it answers`);
    for (const status of good) t.ok(status === '204' || responses[status]?.content !== undefined, `${name}: schema of ${status}`);
    t.ok(responses['4XX'] !== undefined && responses['5XX'] !== undefined, `${name}: problems`);
    if (operation['x-roles'] === undefined) continue;
    t.ok(operation['x-roles'].length > 0 && operation['x-scope'] !== undefined, `${name}: roles and scope`);
  }
  t.ok(names.has('getClientExclusions') && names.has('getClientExclusion'), 'one and many have names of their own');
  t.same(document.tags.map(({ name }) => name).sort(), [...used].sort(), 'every tag is described');
});

t.test('examples fit their schemas', async t => {
  const office = await newOffice(t);
  for (const { name, requestBody, responses } of await everyOperation(office.ask)) {
    const media = [
      ...Object.values(requestBody?.content ?? {}),
      ...Object.values(responses).flatMap(({ content }) => Object.values(content ?? {})),
    ];
    for (const one of media) {
      for (const example of examplesOf(one)) t.ok(fits(one.schema, example), `${name}: ${JSON.stringify(example)}`);
    }
  }
});

t.test('examples run, and answers are as described', async t => {
  const office = await newOffice(t);
  const admin = await office.as('admin');
  const order = ['POST', 'PUT', 'PATCH', 'GET', 'DELETE'];
  const operations = [...(await everyOperation(office.ask))].sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
  for (const operation of operations) {
    const { name, method, path, requestBody } = operation;
    if (Object.keys(operation.responses['200']?.content ?? {}).includes('text/event-stream')) continue;
    const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
    const bodies = media === undefined ? [undefined] : examplesOf(media);
    t.ok(bodies.length > 0, `${name}: has an example`);
    for (const body of bodies) {
      const headers = typeof body === 'string' && type !== undefined ? { 'content-type': type } : {};
      const answer = await admin(method, `${fill(path, valueFor(operation))}${query(operation)}`, body, headers);
      t.ok(
        answer.status !== 400 && answer.status !== 422 && answer.status !== 500,
        `${name} runs: ${answer.status} ${answer.status < 300 ? '' : answer.text}`,
      );
      t.ok(isDescribed(operation, answer), `${name} answers ${answer.status} as described`);
    }
  }
});

/** What a new office holds, else something of the right shape that is not there. */
function valueFor({ parameters = [] }: Operation): (param: string) => string {
  return param => {
    const known = { client: 'acme', campaign: 'spring' }[param];
    const schema = parameters.find(({ in: where, name }) => where === 'path' && name === param)?.schema;
    const { pattern } = (schema?.anyOf as Schema[] | undefined)?.[0] ?? schema ?? {};
    const shape = typeof pattern === 'string' ? pattern.replace(/\[[^\]]*\]\{(\d+)\}/g, (_, length) => '0'.repeat(Number(length))) : '';
    return known ?? (/^\^\w+\$$/.test(shape) ? shape.slice(1, -1) : 'absent');
  };
}

function query({ method, parameters = [] }: Operation): string {
  const own = method === 'DELETE' ? ['address', 'reason'] : [];
  const asked = parameters.filter(({ in: where, name, required }) => where === 'query' && (required === true || own.includes(name)));
  const pairs = asked.map(({ name, schema }): [string, string] => [name, String(schema?.default ?? SAMPLES[name] ?? 'x')]);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}

const SAMPLES: Readonly<Record<string, string>> = { address: 'jo@widgets.example', domain: 'widgets.example', reason: 'objection' };

export function isDescribed(operation: Operation, { status, headers, text }: Pick<Answer, 'status' | 'headers' | 'text'>): boolean {
  const described = describedAnswer(operation, status);
  if (described === undefined) return false;
  if (status === 204) return text === '';
  const type = (headers.get('content-type') ?? '').split(';')[0] ?? '';
  const media = described.content?.[type];
  if (media === undefined) return false;
  return type.endsWith('json') && !type.endsWith('ndjson') ? fits(media.schema, JSON.parse(text)) : true;
}

function fits(schema: Schema | undefined, value: unknown): boolean {
  return schema === undefined || Compile(schema as Parameters<typeof Compile>[0]).Check(value);
}
