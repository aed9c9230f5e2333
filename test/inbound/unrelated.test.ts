/** A mailbox holds all sorts of mail: what has nothing to do with mail of ours leaves no trace but a number. */
import t from 'tap';
import { GLOBAL } from '../../src/ids.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { ACME, DOMAIN, type Mail, newOffice, OTHER, SPRING } from './office.ts';

const JANE = 'jane@widgets.example';
const MAILBOX = { role: undefined, client: ACME, token: undefined };
const NOBODYS = { role: undefined, client: undefined, token: undefined };
const LYING = { to: MAILBOX, via: 'mailbox:carol' } as const;
const DEAD = [{ address: JANE, status: '5.1.1', permanent: true }];
const PLAIN: readonly NonNullable<Mail['as']>[] = [
  { kind: 'reply' },
  { kind: 'auto-reply' },
  { kind: 'auto-reply', left: true },
  { kind: 'bounce', recipients: DEAD },
  { kind: 'bounce', recipients: DEAD, ours: true },
  { kind: 'unknown' },
];

t.test('law 7: of other mail in a mailbox neither people nor words are kept', async t => {
  for (const [owner, to] of [
    [ACME, MAILBOX],
    [GLOBAL, NOBODYS],
  ] as const) {
    for (const as of PLAIN) {
      const office = await newOffice(t);
      // The other client's mail is not this one's, and to somebody else neither.
      if (to === MAILBOX) await office.sent(JANE, { client: OTHER, campaign: SPRING });
      await office.sent('joe@gadgets.example', { campaign: SPRING });
      const { outcome, logged } = await office.receive({ as, to, via: 'mailbox:carol' });
      t.same({ outcome, logged }, { outcome: 'applied', logged: [] }, JSON.stringify(as));
      t.same(await office.listed(JANE), []);
      t.same(await office.log(owner), []);
      const kept: string[] = [];
      for await (const [key] of office.store.scan({ owner, set: 'persons' })) kept.push(JSON.stringify(key));
      t.same(kept, []);
      if (owner === ACME) t.same(await office.counts(), { unrelated: 1 });
    }
  }
});

t.test('whoever objects is heard, whoever it is', async t => {
  for (const [kind, expected] of [
    ['opt-out', 'suppression acme opt-out'],
    ['unsubscribe', 'suppression acme opt-out'],
    ['request', 'suppression acme objection'],
    ['review', 'exclusion acme review'],
  ] as const) {
    const office = await newOffice(t);
    await office.receive({ as: { kind }, ...LYING });
    t.same(await office.listed(JANE), [expected], kind);
    t.match(await office.log(), [{ kind, people: [JANE], matchedBy: 'address' }]);
  }
});

t.test('what answers mail of ours is an answer, by whatever it is told', async t => {
  for (const [name, mail] of [
    ['In-Reply-To', { headers: ['In-Reply-To: ID'], from: 'boss@widgets.example' }],
    ['References', { headers: ['References: <a@b.example> ID'], from: 'boss@widgets.example' }],
    ['a token', { headers: ['To: sales+TOKEN@acme.example'], from: 'boss@widgets.example' }],
    ['who wrote', {}],
  ] as const) {
    const office = await newOffice(t);
    const { messageId, token } = await office.sent(JANE, { campaign: SPRING });
    const headers = ('headers' in mail ? mail.headers : []).map(field => field.replace('ID', messageId).replace('TOKEN', token));
    await office.receive({ as: { kind: 'reply' }, ...LYING, ...mail, headers });
    t.same(await office.listed('from' in mail ? mail.from : JANE), ['exclusion acme/spring reply'], name);
    t.same(await office.counts(), { reply: 1 });
  }
});

t.test('a bounce of mail of ours is one, also where it names somebody else', async t => {
  const office = await newOffice(t);
  const { messageId } = await office.sent(JANE, { campaign: SPRING });
  const returned = { messageId, reversePath: undefined, to: [] };
  await office.receive({
    as: { kind: 'bounce', recipients: [{ address: 'alias@far.example', status: '5.1.1', permanent: true }], returned },
    ...LYING,
  });
  t.match(await office.log(), [{ state: 'open', matchedBy: 'returned-message', actions: ['none'] }]);
  t.same(await office.listed('alias@far.example'), [], 'a stranger enters nobody');
  await office.receive({ as: { kind: 'bounce', recipients: DEAD, returned }, ...LYING });
  t.same(await office.listed(JANE), ['suppression acme bounce']);
});

t.test('it counts once, and where it comes to a reply address as well, it counts there', async t => {
  const office = await newOffice(t);
  const mail: Mail = { as: { kind: 'reply' }, messageId: '<one@widgets.example>' };
  await office.receive({ ...mail, ...LYING });
  t.match(await office.receive({ ...mail, ...LYING }), { outcome: 'repeated', logged: [] });
  t.same(await office.counts(), { unrelated: 1 });
  t.equal((await office.receive(mail)).outcome, 'applied');
  t.same(await office.listed(JANE), ['exclusion acme reply']);
  t.match(await office.receive({ ...mail, ...LYING }), { outcome: 'repeated', logged: [{ owner: ACME }] });
  t.same(await office.counts(), { unrelated: 1, reply: 1 });
});

t.test('law 2: with the store away it is not done with', async t => {
  const office = await newOffice(t);
  office.steering.away = true;
  await t.rejects(office.receive({ as: { kind: 'reply' }, ...LYING }), StoreUnavailable);
});

t.test('who was mailed counts where a report names who failed behind it (RFC 3464 §2.3.1)', async t => {
  const office = await newOffice(t);
  await office.sent(JANE, { campaign: SPRING });
  const recipients = [{ address: 'j.doe@behind.example', mailed: JANE, status: '5.1.1', permanent: true }];
  await office.receive({ as: { kind: 'bounce', recipients }, to: 'sales@acme.example' });
  t.same(await office.listed(JANE), ['suppression acme bounce']);
  t.same(await office.listed('j.doe@behind.example'), []);
  // The log is in the order of receipt.
  office.clock.at += 1_000;
  const { token } = await office.sent('list@widgets.example', { campaign: SPRING });
  const behind = ['a', 'b'].map(name => ({
    address: `${name}@behind.example`,
    mailed: 'list@widgets.example',
    status: '4.2.2',
    permanent: false,
  }));
  await office.receive({ as: { kind: 'bounce', recipients: behind }, to: `bounce+${token}@${DOMAIN}` });
  t.match((await office.log())[0], { kind: 'bounce', actions: ['counted acme bounce'], people: ['list@widgets.example'] });
});
