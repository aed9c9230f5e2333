/** Tenant isolation over every route there is: a client-scoped account reaches its own client and its own session, and nothing else. */
import t from 'tap';
import { everyOperation, fill } from './routes.ts';
import { newOffice } from './support.ts';

t.test('A1: whatever names another client is answered like one that does not exist', async t => {
  const office = await newOffice(t);
  const acme = await office.as('client', 'acme');
  const operations = (await everyOperation(office.ask)).filter(({ path }) => path.includes('{client}'));
  t.ok(operations.length > 0);
  for (const { name, method, path } of operations) {
    t.match(path, /^\/v1\/clients\/\{client\}/, `${name} lives under /v1/clients/:client`);
    const answers = [];
    for (const client of ['other', 'nobody', 'global', '...', 'OTHER', 'other\0', `${'x'.repeat(200)}`]) {
      const answer = await acme(
        method,
        fill(path, param => (param === 'client' ? client : 'spring')),
      );
      t.match(answer, { status: 404 }, `${name} for ${JSON.stringify(client)}`);
      answers.push(answer.text);
    }
    t.equal(new Set(answers.slice(0, 3)).size, 1, `${name} tells no difference`);
  }
});

t.test('A1: outside its own client, the role client has its own session only', async t => {
  const office = await newOffice(t);
  const acme = await office.as('client', 'acme');
  for (const { name, method, path, ...operation } of await everyOperation(office.ask)) {
    const roles = operation['x-roles'];
    if (path.includes('{client}') || roles === undefined) continue;
    if (roles.includes('client')) {
      t.match(path, /^\/v1\/session(\/|$)/, `${name} is of one's own session`);
    } else {
      t.match(
        await acme(
          method,
          fill(path, () => 'acme'),
        ),
        { status: 403 },
        `${name} is forbidden`,
      );
    }
  }
});

t.test('without a login there is nothing but what says so', async t => {
  const office = await newOffice(t);
  const open = [];
  for (const { name, method, path, ...operation } of await everyOperation(office.ask)) {
    if (operation['x-roles'] === undefined) open.push(name);
    else
      t.match(
        await office.ask(
          method,
          fill(path, () => 'acme'),
        ),
        { status: 401 },
        name,
      );
  }
  t.same(open.sort(), ['GET /health/live', 'GET /health/ready', 'GET /metrics', 'GET /openapi.json', 'POST /v1/session']);
});

t.test('a token is held to its scopes on every route', async t => {
  const office = await newOffice(t);
  const { token } = await office.token('admin', { scopes: ['session:read'] });
  const narrow = office.withToken(token);
  for (const { name, method, path, ...operation } of await everyOperation(office.ask)) {
    if (operation['x-roles'] === undefined || operation['x-scope'] === 'session:read') continue;
    t.match(
      await narrow(
        method,
        fill(path, () => 'acme'),
      ),
      { status: 403 },
      name,
    );
  }
});
