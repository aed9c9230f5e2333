/** Law 6, where it is easily forgotten: doubt widens, and nobody's objection is lost for somebody else's program. */
import t from 'tap';
import { ACME, DOMAIN, newOffice, OTHER, SPRING } from './office.ts';

const JANE = 'jane@widgets.example';
const PRIVACY = `privacy@${DOMAIN}`;

t.test("an answer to one client's message at another one's address counts for both", async t => {
  for (const to of ['sales@acme.example', { role: undefined, client: ACME, token: undefined }]) {
    const office = await newOffice(t);
    const { messageId } = await office.sent(JANE, { client: OTHER, campaign: SPRING });
    await office.receive({ as: { kind: 'opt-out' }, to, headers: [`In-Reply-To: ${messageId}`] });
    t.same(await office.listed(JANE, OTHER), ['suppression other opt-out']);
    t.same(await office.listed(JANE), ['suppression acme opt-out']);
  }
});

t.test('two people whose program gives their mail one Message-ID both object', async t => {
  const office = await newOffice(t);
  const same = { as: { kind: 'opt-out' as const }, messageId: '<unsubscribe@program.example>' };
  t.equal((await office.receive({ ...same, from: JANE })).outcome, 'applied');
  t.equal((await office.receive({ ...same, from: 'joe@gadgets.example' })).outcome, 'applied');
  t.equal((await office.receive({ ...same, from: 'Joe <JOE@gadgets.example>' })).outcome, 'repeated', 'A16');
  for (const person of [JANE, 'joe@gadgets.example']) t.same(await office.listed(person), ['suppression acme opt-out']);
});

t.test('what is not understood at privacy@ is in doubt, also of somebody who was mailed', async t => {
  const office = await newOffice(t);
  await office.sent(JANE, { campaign: SPRING });
  await office.receive({ as: { kind: 'reply' }, to: PRIVACY });
  t.same(await office.listed(JANE), ['exclusion acme review']);
  t.match(await office.log(), [{ kind: 'reply', state: 'open' }]);
});
