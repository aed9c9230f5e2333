/** API tokens: how many an account may have, and when they were last used. */
import t from 'tap';
import { MAX_TOKENS } from '../../src/accounts/tokens.ts';
import { newOffice } from '../admin/support.ts';

t.test('an account has so many tokens and no more, until one is revoked or has ended', async t => {
  const office = await newOffice(t);
  const client = await office.as('client');
  const other = await office.as('client', 'other');
  const { id } = (await client('POST', '/v1/session/tokens', {})).json<{ id: string }>();
  for (let made = 2; made < MAX_TOKENS; made++) await client('POST', '/v1/session/tokens', {});
  const refused = await client('POST', '/v1/session/tokens', {});
  t.match(refused, { status: 409, text: /revoke one/ });
  t.match(await other('POST', '/v1/session/tokens', {}), { status: 201 }, 'others are not concerned');
  t.match(await client('DELETE', `/v1/session/tokens/${id}`), { status: 204 });
  t.match(await client('POST', '/v1/session/tokens', {}), { status: 201 });
});

t.test('a token that lists itself was used, though the store still writes that', async t => {
  const office = await newOffice(t);
  const { store } = office.house;
  const apply = store.apply.bind(store);
  store.apply = (changes, expect) =>
    changes.some(({ key }) => 'set' in key && key.set === 'api-token-uses') ? new Promise(() => {}) : apply(changes, expect);
  const client = await office.as('client');
  t.match((await client('GET', '/v1/session/tokens')).json(), { items: [{ usedAt: /^\d{4}-/ }] });
});
