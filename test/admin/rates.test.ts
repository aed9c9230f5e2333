/** Requests a minute: of one account, and from one network such that show no login that counts; who waits, and who does not. */
import t from 'tap';
import { STRANGERS_A_MINUTE } from '../../src/admin/access.ts';
import { type Answer, newOffice, type Office } from './support.ts';

const SESSION = '/v1/session';
const WRONG = `postern_${'w'.repeat(43)}`;
const AT_ONCE = 50;

/** So many requests with this token, from there; how many of each status. */
async function flood(office: Office, n: number, token: string, ip: string): Promise<Readonly<Record<number, number>>> {
  const counts: Record<number, number> = {};
  const ask = office.withToken(token);
  for (let sent = 0; sent < n; sent += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, n - sent) }, () => ask('GET', SESSION, undefined, { 'x-forwarded-for': ip }));
    for (const { status } of await Promise.all(some)) counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

const isTold = (answer: Answer) => ({
  status: answer.status,
  seconds: Number(answer.headers.get('retry-after')),
  type: answer.json<{ type: string }>().type,
});

t.test('wrong tokens are refused by the minute and network before anything is looked up; others, and who was known, go on', async t => {
  const office = await newOffice(t, { admin: { trustedProxies: ['127.0.0.1'] } });
  // Nothing of this test may take so long that the minute is over.
  const began = Date.now();
  office.clock.now = () => began + office.clock.offset;
  const { name, token } = await office.token('operator');
  const { token: late } = await office.token('operator');
  const from = (shown: string, ip: string) => office.withToken(shown)('GET', SESSION, undefined, { 'x-forwarded-for': ip });
  t.match(await from(token, '2001:db8:1:2::7'), { status: 200 });
  t.same(await flood(office, STRANGERS_A_MINUTE, WRONG, '2001:db8:1:2::9'), { 401: STRANGERS_A_MINUTE });

  let looked = 0;
  const { accounts } = office.house;
  const byToken = accounts.byToken.bind(accounts);
  accounts.byToken = (...given) => {
    looked += 1;
    return byToken(...given);
  };
  const refused = isTold(await from(WRONG, '2001:db8:1:2:ffff::1'));
  t.match(refused, { status: 429, type: 'too-many-requests' }, 'an address of the same /64');
  t.ok(refused.seconds >= 1 && refused.seconds <= 60);
  t.match(await office.ask('GET', SESSION, undefined, { 'x-forwarded-for': '2001:db8:1:2::1' }), { status: 429 }, 'without any login');
  t.match(await from(late, '2001:db8:1:2::7'), { status: 429 }, 'a right one that was not seen there');
  t.equal(looked, 0, 'nothing was looked up');
  t.match(await from(token, '2001:db8:1:2::7'), { status: 200 }, 'who was let in from there just now');
  t.match(await from(token, '2001:db8:1:2::8'), { status: 429 }, 'but not from elsewhere in it');
  await accounts.directory.update(name, { role: 'officer' }, { by: 'test', from: 'cli' });
  t.match(await from(token, '2001:db8:1:2::7'), { status: 401 }, 'its token ends');
  t.match(await from(token, '2001:db8:1:2::7'), { status: 429 }, 'and is known no more');
  t.match(await from(late, '2001:db8:1:3::7'), { status: 200 }, 'another network');
  t.match(await from(WRONG, '203.0.113.7'), { status: 401 });

  office.clock.offset += 60_000;
  t.match(await from(late, '2001:db8:1:2::7'), { status: 200 }, 'a minute later');
});

t.test('one account has its own allowance, wherever it asks from and with whatever token; no other account waits for it', async t => {
  const office = await newOffice(t, { admin: { trustedProxies: ['127.0.0.1'], requestsPerMinute: 100 } });
  const began = Date.now();
  office.clock.now = () => began + office.clock.offset;
  const { name, token } = await office.token('operator');
  const { token: other } = await office.token('operator');
  t.same(await flood(office, 100, token, '203.0.113.7'), { 200: 100 });
  const refused = isTold(await office.withToken(token)('GET', SESSION));
  t.match(refused, { status: 429, type: 'too-many-requests' });
  t.ok(refused.seconds >= 1 && refused.seconds <= 60);
  const made = await office.house.accounts.tokens.issue(name, { days: 1 }, { by: 'test', from: 'cli' });
  t.match('secret' in made && (await flood(office, 1, made.secret, '203.0.113.8')), { 429: 1 });
  t.same(await flood(office, 1, other, '203.0.113.7'), { 200: 1 });
  office.clock.offset += 60_000;
  t.same(await flood(office, 1, token, '203.0.113.7'), { 200: 1 });
});
