/** The review queue: what a person's decision adds, and that it lifts no more than the doubt. */
import t from 'tap';
import { decide } from '../../src/inbound/deciding.ts';
import type { LogPlace } from '../../src/inbound/processor.ts';
import type { LoggedReply } from '../../src/journal/reply.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { ACME, AUTUMN, address, DOMAIN, newOffice, type Office, SPRING } from './office.ts';

const JANE = 'jane@widgets.example';
const DOUBT = ['exclusion acme review'];

async function inDoubt(office: Office, more: { headers?: readonly string[]; from?: string } = {}): Promise<LogPlace> {
  const { logged } = await office.receive({ as: { kind: 'review' }, ...more });
  return logged[0] as LogPlace;
}

const deciding = (office: Office, place: LogPlace, as: 'opt-out' | 'reply' | 'nothing') =>
  decide(office, place, { as, by: 'anna', from: 'cli', why: 'read it' });

async function open(office: Office): Promise<readonly LoggedReply[]> {
  const lines: LoggedReply[] = [];
  for await (const line of office.replies.list(ACME, { state: 'open' })) lines.push(line);
  return lines;
}

for (const [as, spring, autumn] of [
  ['opt-out', ['suppression acme opt-out'], ['suppression acme opt-out']],
  ['reply', ['exclusion acme/spring reply'], []],
  ['nothing', [], []],
] as const) {
  t.test(`decided to be ${as}`, async t => {
    const office = await newOffice(t);
    const { messageId } = await office.sent(JANE, { campaign: SPRING });
    const place = await inDoubt(office, { headers: [`In-Reply-To: ${messageId}`] });
    t.same(await office.listed(JANE), DOUBT);
    t.match(await open(office), [{ id: place.id, state: 'open', people: [JANE] }]);
    t.equal(await deciding(office, place, as), 'decided');
    t.same(await office.listed(JANE, ACME, [SPRING]), spring);
    t.same(await office.listed(JANE, ACME, [AUTUMN]), autumn);
    t.same(await open(office), []);
    const line = await office.replies.show(place.id, [ACME]);
    t.match(line, { state: 'decided', decision: { as, by: 'anna', why: 'read it', at: office.clock.at } });
    t.equal(await deciding(office, place, as), 'repeated');
    t.equal(await deciding(office, place, as === 'reply' ? 'nothing' : 'reply'), 'closed', 'nobody decides it otherwise');
    t.same(await office.listed(JANE, ACME, [SPRING]), spring);
    await office.ledger.replay(office.store);
    t.same(await office.listed(JANE, ACME, [SPRING]), spring, 'law 6: nor does the ledger bring it back');
    let audits = 0;
    for await (const _ of office.store.scan({ owner: ACME, log: 'audit' })) audits += 1;
    t.ok(audits >= 2, 'the decision and the lift are on record');
  });
}

t.test('law 6: an older objection stays', async t => {
  const office = await newOffice(t);
  await office.lists.add({ owner: ACME }, address(JANE), { reason: 'reply', source: 'recipient' });
  await office.receive({ as: { kind: 'opt-out' } });
  const place = await inDoubt(office);
  await deciding(office, place, 'nothing');
  t.same(await office.listed(JANE), ['exclusion acme reply', 'suppression acme opt-out']);
});

t.test('in doubt twice: both must be decided', async t => {
  const office = await newOffice(t);
  const one = await inDoubt(office);
  const two = await inDoubt(office, { from: 'JANE+x@widgets.example' });
  await deciding(office, one, 'nothing');
  t.same(await office.listed(JANE), DOUBT);
  await deciding(office, two, 'nothing');
  t.same(await office.listed(JANE), []);
});

t.test('a doubt that comes while another is decided is not lifted with it', async t => {
  const office = await newOffice(t);
  const one = await inDoubt(office);
  let came = false;
  office.steering.beforeApply = async changes => {
    // Right before the lift: everything was read by now.
    if (came || !changes.some(({ key }) => 'set' in key && key.set === 'lifted-exclusion')) return;
    came = true;
    await inDoubt(office);
  };
  await deciding(office, one, 'nothing');
  t.equal(came, true);
  t.same(await office.listed(JANE), DOUBT);
  t.equal((await open(office)).length, 1);
});

t.test('a doubt that joins another is not left without its listing when that is lifted', async t => {
  const office = await newOffice(t);
  const one = await inDoubt(office);
  let decided: string | undefined;
  office.steering.beforeApply = async changes => {
    // Right before the second doubt is written: it has found the person listed.
    if (decided !== undefined || !changes.some(({ key }) => 'set' in key && key.set === 'reply-seen')) return;
    decided = '';
    decided = await deciding(office, one, 'nothing');
  };
  await inDoubt(office);
  t.equal(decided, 'decided');
  t.same(await office.listed(JANE), DOUBT);
  t.equal((await open(office)).length, 1);
});

t.test('a crash in the midst leaves too much, and deciding again mends it', async t => {
  const office = await newOffice(t);
  const place = await inDoubt(office);
  office.steering.beforeApply = changes => {
    if (changes.some(({ key }) => 'set' in key && key.set === 'lifted-exclusion')) throw new StoreUnavailable('crashed');
  };
  await t.rejects(deciding(office, place, 'nothing'), StoreUnavailable);
  t.same(await office.listed(JANE), DOUBT);
  office.steering.beforeApply = undefined;
  t.equal(await deciding(office, place, 'nothing'), 'repeated');
  t.same(await office.listed(JANE), []);
});

t.test('what there is nothing to decide about', async t => {
  const office = await newOffice(t);
  const { logged } = await office.receive({ as: { kind: 'opt-out' } });
  t.equal(await deciding(office, logged[0] as LogPlace, 'nothing'), 'closed');
  t.equal(await deciding(office, { owner: ACME, id: 'x' }, 'nothing'), 'missing');
  t.same(await office.listed(JANE), ['suppression acme opt-out']);
});

t.test('a report that proves nothing, decided to be an objection, is about whom it names', async t => {
  const office = await newOffice(t);
  const recipients = [{ address: JANE, status: undefined, permanent: true }];
  const { logged } = await office.receive({ as: { kind: 'complaint', recipients }, to: `feedback@${DOMAIN}`, from: 'fbl@mx.example' });
  await deciding(office, logged[0] as LogPlace, 'opt-out');
  t.same(await office.listed(JANE), ['suppression global opt-out']);
  t.same(await office.listed('fbl@mx.example'), []);
});

t.test('whom a salesperson may answer: whoever wrote the human reply, and nobody else', async t => {
  const office = await newOffice(t);
  const { messageId } = await office.sent(JANE, { campaign: SPRING });
  const headers = [`In-Reply-To: ${messageId}`];
  const wrote = (id: string, person = JANE) => office.replies.wroteReply(ACME, id, address(person));
  await office.receive({ as: { kind: 'reply' }, messageId: '<r@widgets.example>', from: 'boss@widgets.example', headers });
  t.equal(await wrote('<r@widgets.example>', 'BOSS+x@widgets.example'), true);
  t.equal(await wrote('<r@widgets.example>'), false, 'mailed, but did not write');
  t.equal(await wrote('<s@widgets.example>', 'boss@widgets.example'), false);
  for (const [kind, id] of [
    ['opt-out', '<o@widgets.example>'],
    ['auto-reply', '<a@widgets.example>'],
  ] as const) {
    await office.receive({ as: { kind }, messageId: id });
    t.equal(await wrote(id), false, kind);
  }
  for (const [as, answers] of [
    ['reply', true],
    ['nothing', false],
    ['opt-out', false],
  ] as const) {
    const { logged } = await office.receive({ as: { kind: 'review' }, messageId: `<d-${as}@widgets.example>` });
    t.equal(await wrote(`<d-${as}@widgets.example>`), false, 'while in doubt');
    await deciding(office, logged[0] as LogPlace, as);
    t.equal(await wrote(`<d-${as}@widgets.example>`), answers, as);
  }
});

t.test('a whole message is kept, and read again', async t => {
  const office = await newOffice(t);
  const place = await inDoubt(office);
  const octets = Buffer.alloc(2_500_000, 'message ');
  t.equal(await office.replies.kept(ACME, place.id), undefined);
  await office.replies.keep(place, octets);
  await office.replies.keep(place, octets);
  t.equal((await office.replies.kept(ACME, place.id))?.equals(octets), true);
  for await (const [key] of office.store.scan({ owner: ACME, log: 'reply-kept' })) {
    await office.store.apply([{ key, value: undefined }]);
    break;
  }
  t.equal(await office.replies.kept(ACME, place.id), undefined, 'a part of it is not the message');
});

t.test('the log, newest first, by time and state', async t => {
  const office = await newOffice(t);
  const at = office.clock.at;
  for (const [i, kind] of (['reply', 'review', 'opt-out', 'review'] as const).entries()) {
    await office.receive({ as: { kind }, from: `p${i}@widgets.example`, at: at - 4_000 + i * 1_000 });
  }
  const kinds = async (query: Parameters<typeof office.replies.list>[1]) => {
    const all: string[] = [];
    for await (const { people } of office.replies.list(ACME, query)) all.push(...people);
    return all.map(person => person.slice(0, 2)).join(' ');
  };
  t.equal(await kinds({}), 'p3 p2 p1 p0');
  t.equal(await kinds({ limit: 2 }), 'p3 p2');
  t.equal(await kinds({ from: at - 2_000 }), 'p3 p2');
  t.equal(await kinds({ state: 'open' }), 'p3 p1');
  t.equal(await kinds({ state: 'done' }), 'p2 p0');
});

t.test('many at once lose nothing', async t => {
  const office = await newOffice(t);
  await Promise.all(
    Array.from({ length: 60 }, (_, i) => office.receive({ as: { kind: i % 2 ? 'reply' : 'review' }, from: `p${i % 7}@widgets.example` })),
  );
  t.same(await office.counts(), { reply: 30, review: 30 });
  t.equal((await office.log()).length, 60);
  t.equal((await open(office)).length, 30);
  for (const { id } of await open(office)) await deciding(office, { owner: ACME, id }, 'nothing');
  for (let i = 0; i < 7; i++) t.same(await office.listed(`p${i}@widgets.example`), ['exclusion acme reply'], 'no doubt is left over');
});
