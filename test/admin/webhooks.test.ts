/** Webhooks end to end: a real gate, what comes back, the API and a real receiver; every type is fired by something, and none is lost. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EVENT_TYPES } from '../../src/hooks/event.ts';
import { deliver, HOOKS, hooked } from '../hooks/hooked.ts';
import { startReceiver } from '../hooks/receiver.ts';
import { ACME, person } from '../support/acme.ts';
import { onBothStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

t.test('A17: every type that is documented is fired, signed, and names what it should', async t => {
  const { acme, api, gate, receiver, id } = await hooked(t);
  t.teardown(() => receiver.close());

  await acme.run('list', 'add', 'acme', 'jo@prospect.example');
  const refused = await deliver(gate.port, 'news@acme.example', 'jo@prospect.example', []);
  t.match(refused, /^550/);
  const event = await receiver.told1('the refusal', ({ type }) => type === 'email.refused');
  t.match(event.data, { client: 'acme', check: 'exclusion', token: 'excluded', recipient: 'jo@prospect.example' });
  t.match(refused, String(event.data.ref), 'the id that the sender was told');

  const mail = (from: string, ...lines: readonly string[]) => [`From: <${from}>`, 'To: <reply@acme.example>', ...lines];
  const stop = mail('ann@prospect.example', 'Subject: Re: News', 'Message-ID: <a@prospect.example>', '', 'Please unsubscribe me.');
  t.match(await deliver(gate.inboundPort, 'ann@prospect.example', 'reply@acme.example', stop), /^250/);
  const left = await receiver.told1('the opt-out', ({ type }) => type === 'email.unsubscribed');
  t.match(left.data, { client: 'acme', reason: 'opt-out', recipient: 'ann@prospect.example' });
  const created = await receiver.told1('its suppression', ({ type }) => type === 'suppression.created');
  t.match(created.data, { client: 'acme', reason: 'opt-out', recipient: 'ann@prospect.example', digest: /^[0-9a-f]{12}$/ });

  await acme.house(async ({ sends }) => {
    await sends.remember(sends.reserve(), {
      client: ACME,
      campaigns: [],
      campaignNamed: false,
      credential: undefined,
      transaction: 'tx',
      recipients: ['bo@prospect.example', 'cy@prospect.example'].map(person),
      reversePath: 'news@acme.example',
      messageId: '<news1@acme.example>',
      footer: [],
    });
  });
  const original = [
    'From: <news@acme.example>',
    'To: <bo@prospect.example>',
    'Message-ID: <news1@acme.example>',
    'Subject: News',
    '',
    'News',
  ];
  const complaint = [
    'From: <fbl@mail.example>',
    'To: <reply@acme.example>',
    'Message-ID: <c@mail.example>',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=feedback-report; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'A complaint.',
    '--b',
    'Content-Type: message/feedback-report',
    '',
    'Feedback-Type: abuse',
    'User-Agent: test/1',
    'Version: 1',
    'Original-Rcpt-To: <bo@prospect.example>',
    '',
    '--b',
    'Content-Type: message/rfc822',
    '',
    ...original,
    '--b--',
  ];
  t.match(await deliver(gate.inboundPort, 'fbl@mail.example', 'reply@acme.example', complaint), /^250/);
  t.match((await receiver.told1('the complaint', ({ type }) => type === 'email.complained')).data, { recipient: 'bo@prospect.example' });
  const bounceOf = (whom: string, id: string, about: readonly string[]) => [
    'From: Mail Delivery System <mailer-daemon@prospect.example>',
    'To: <reply@acme.example>',
    `Message-ID: <${id}@prospect.example>`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'No such user.',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.prospect.example',
    '',
    `Final-Recipient: rfc822; ${whom}`,
    'Action: failed',
    'Status: 5.1.1',
    'Diagnostic-Code: smtp; 550 5.1.1 No such user',
    '',
    '--b',
    'Content-Type: message/rfc822',
    '',
    ...about,
    '--b--',
  ];
  const bounce = bounceOf('cy@prospect.example', 'd', original);
  t.match(await deliver(gate.inboundPort, '', 'reply@acme.example', bounce), /^250/);
  t.match((await receiver.told1('the bounce', ({ type }) => type === 'email.bounced')).data, {
    recipient: 'cy@prospect.example',
    reason: 'bounce',
  });

  // Nobody mailed dee: a person must say what the report is.
  const forged = bounceOf('dee@prospect.example', 'e', ['Message-ID: <none@acme.example>', '', 'News']);
  t.match(await deliver(gate.inboundPort, '', 'reply@acme.example', forged), /^250/);
  const [doubt] = (await api(gate, 'GET', `/v1/clients/${ACME}/replies?state=open`)).body.items as { id: string }[];
  const decide = () => api(gate, 'POST', `/v1/clients/${ACME}/replies/${doubt?.id}/decision`, { as: 'opt-out', reason: 'wrote to us' });
  t.equal((await decide()).status, 200);
  const decided = await receiver.told1(
    'what a person decided',
    ({ type, data }) => type === 'email.unsubscribed' && data.ref === doubt?.id,
  );
  t.match(decided.data, { client: 'acme', reason: 'opt-out', recipient: 'dee@prospect.example' });
  t.equal((await decide()).status, 200);

  await acme.house(async ({ lists }) => {
    await lists.lift({ owner: ACME }, person('ann@prospect.example'), { by: 'Dana', why: 'asked for it' });
  });
  const lifted = await receiver.told1('the lifting', ({ type }) => type === 'suppression.deleted');
  t.match(lifted.data, { client: 'acme', digest: created.data.digest, recipient: 'ann@prospect.example' });

  await acme.house(async ({ lists }) => {
    const gone = person('gone@prospect.example');
    await lists.suppress({ owner: ACME }, gone, { reason: 'erasure', source: 'operator' });
    await lists.lift({ owner: ACME }, gone, { by: 'Dana', why: 'entered twice' });
  });
  for (const type of ['suppression.created', 'suppression.deleted']) {
    const erased = await receiver.told1(`an erasure: ${type}`, told => told.type === type && told.data.reason === 'objection');
    t.same(Object.keys(erased.data).sort(), ['client', 'reason', 'source'], 'nobody is told who was erased, nor that anybody was');
  }

  const rehearsed = await api(gate, 'POST', `/v1/clients/${ACME}/imports?list=exclusion&dryRun=true`, 'email\nzoe@prospect.example\n');
  t.equal(rehearsed.status, 202);
  await until('the rehearsal is over', async () => {
    const { body } = await api(gate, 'GET', `/v1/clients/${ACME}/imports/${rehearsed.body.id}`);
    return body.state === 'finished';
  });
  const begun = await api(gate, 'POST', `/v1/clients/${ACME}/imports?list=exclusion`, 'email\nzoe@prospect.example\n');
  t.equal(begun.status, 202);
  t.match((await receiver.told1('the import', ({ type }) => type === 'import.finished')).data, { state: 'finished', counts: { added: 1 } });

  const file = join(acme.site.dir, 'list.txt');
  writeFileSync(file, 'yan@prospect.example\nno address\n');
  await acme.run('list', 'import', 'acme', file, '--dry-run');
  await acme.run('list', 'import', 'acme', file);
  const imported = await receiver.told1('the import by command', ({ type, data }) => type === 'import.finished' && data.ref === undefined);
  t.match(imported.data, { client: 'acme', state: 'finished', counts: { read: 2, added: 1, existing: 0, invalid: 1 } });

  const tested = await api(gate, 'POST', `${HOOKS}/${id}/test`);
  t.equal(tested.status, 202);
  t.equal((await receiver.told1('the test', ({ type }) => type === 'webhook.test')).id, tested.body.id);
  t.equal(receiver.forged, 0);
  t.equal(receiver.told.filter(({ data }) => data.ref === doubt?.id).length, 1, 'decided twice is told once');
  for (const type of EVENT_TYPES)
    t.ok(
      receiver.told.some(told => told.type === type),
      `${type} was fired`,
    );
  await until(
    'nothing waits',
    async () => ((await api(gate, 'GET', `${HOOKS}/${id}/deliveries?state=waiting`)).body.items as unknown[]).length === 0,
  );
  t.equal(receiver.told.filter(({ type }) => type === 'import.finished').length, 2, 'nobody was told of a rehearsal');
});

t.test('docs/webhooks.md lists the events that there are', async t => {
  const text = readFileSync(new URL('../../docs/webhooks.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z.]+)` \|/gm)].map(([, type]) => type);
  t.same(rows, [...EVENT_TYPES, 'webhook.test']);
});

t.test('a receiver that is down, a gate that is killed: told all the same, once they are back', async t => {
  const { acme, api, gate, receiver, id } = await hooked(t, ['email.refused']);
  await acme.run('list', 'add', 'acme', 'jo@prospect.example');
  const { port, secret } = receiver;
  await receiver.close();
  await deliver(gate.port, 'news@acme.example', 'jo@prospect.example', []);
  await until('an attempt has failed', async () => {
    const { items } = (await api(gate, 'GET', `${HOOKS}/${id}/deliveries?state=waiting`)).body as { items?: { attempts: number }[] };
    return items?.some(({ attempts }) => attempts > 0);
  });
  await gate.kill();
  const back = await startReceiver(port);
  t.teardown(() => back.close());
  back.secret = secret;
  await acme.site.serve();
  const event = await back.told1('the refusal', ({ type }) => type === 'email.refused');
  t.match(event.data, { client: 'acme', recipient: 'jo@prospect.example' });
});

t.test('410 switches a webhook off; what is dead is shown and sent again; a new secret signs beside the old one', async t => {
  const { acme, api, gate, receiver, id } = await hooked(t, ['email.refused']);
  t.teardown(() => receiver.close());
  receiver.status = 410;
  await acme.run('list', 'add', 'acme', 'jo@prospect.example');
  await deliver(gate.port, 'news@acme.example', 'jo@prospect.example', []);
  const one = `${HOOKS}/${id}`;
  const dead = async () => ((await api(gate, 'GET', `${one}/deliveries?state=dead`)).body.items ?? []) as { id: string; last: string }[];
  const [lost] = await until('it is given up', async () => ((await dead()).length > 0 ? dead() : undefined));
  t.match(lost, { last: 'status 410', type: 'email.refused' });
  // Given up first, switched off right after.
  await until('it is switched off', async () => (await api(gate, 'GET', one)).body.disabled === 'gone');

  const [off] = (await api(gate, 'GET', `/v1/clients/${ACME}/audit?limit=1`)).body.items as object[];
  t.match(off, { what: 'webhook.switch-off', by: 'postern', about: { webhook: id, because: 'gone' } });

  receiver.status = 302;
  receiver.told.length = 0;
  const before = receiver.secret;
  const rotated = await api(gate, 'POST', `${one}/secret`);
  t.not(rotated.body.secret, before);
  t.equal((await api(gate, 'PATCH', one, { disabled: false })).body.disabled, null);
  t.equal((await api(gate, 'POST', `${one}/deliveries/${lost?.id}/replay`)).status, 202);
  t.equal((await receiver.told1('the old secret still signs', () => true)).id, lost?.id);
  receiver.status = 204;
  receiver.secret = String(rotated.body.secret);
  const again = receiver.told.length;
  await until('a redirect is no success, and the new secret signs', () => receiver.told.length > again);
  t.equal(receiver.forged, 0);

  t.equal((await api(gate, 'DELETE', one)).status, 204);
  t.equal((await api(gate, 'GET', one)).status, 404);
});

onBothStores('versions guard changes, pages follow each other, and no answer to a reader holds a secret', async (t, settings) => {
  const { api, gate, receiver, id } = await hooked(t, ['email.refused'], settings);
  t.teardown(() => receiver.close());
  const one = `${HOOKS}/${id}`;
  const { etag, body } = await api(gate, 'GET', one);
  t.match(body, { disabled: null, waiting: 0, dead: 0, dropped: 0, failingSince: null, oldestWaitingAt: null, droppedSince: null });
  const changed = await api(gate, 'PATCH', one, { disabled: true }, etag);
  t.equal(changed.status, 200);
  t.not(changed.etag, etag);
  for (const [method, path, sent] of [
    ['PATCH', one, { disabled: false }],
    ['POST', `${one}/secret`, undefined],
    ['DELETE', one, undefined],
  ] as const)
    t.equal((await api(gate, method, path, sent, etag)).status, 412, `${method} of an older version`);
  t.equal((await api(gate, 'PATCH', one, { disabled: false }, 'mine')).status, 412);
  t.equal((await api(gate, 'GET', one)).body.disabled, 'operator');

  const made: unknown[] = [];
  for (let i = 0; i < 5; i++) made.push((await api(gate, 'POST', `${one}/test`)).body.id);
  const seen: unknown[] = [];
  let cursor = '';
  for (let more = true; more; more = cursor !== '') {
    const page = (await api(gate, 'GET', `${one}/deliveries?state=waiting&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)).body;
    const items = page.items as { id: string }[];
    t.ok(items.length > 0 && items.length <= 2);
    seen.push(...items.map(item => item.id));
    cursor = (page.next as string | null) ?? '';
  }
  t.same(seen.sort(), made.sort());
  t.equal((await api(gate, 'GET', `${one}/deliveries?cursor=x`)).status, 422);
  for (const path of [HOOKS, one, `${one}/deliveries?state=waiting`, '/v1/clients/acme/audit']) {
    const answer = await api(gate, 'GET', path);
    t.equal(answer.status, 200, path);
    t.notMatch(JSON.stringify(answer.body), /whsec_/, path);
  }
  t.notMatch(gate.log(), /whsec_/);
  t.equal((await api(gate, 'POST', `${one}/secret`, undefined, changed.etag)).status, 200);
});

t.test('an endpoint is https at a public address; names nobody, and lives with its client', async t => {
  const { api, gate, receiver } = await hooked(t, ['email.refused']);
  t.teardown(() => receiver.close());
  for (const url of [
    'http://hooks.example/x',
    'https://10.0.0.1/x',
    'https://localhost/x',
    'https://a:b@hooks.example/',
    'https://[::1]/',
    'ftp://x.example',
  ]) {
    const answer = await api(gate, 'POST', HOOKS, { url, types: ['email.refused'] });
    t.equal(answer.status, 422, url);
  }
  t.equal((await api(gate, 'POST', HOOKS, { url: 'https://hooks.example/', types: ['email.guessed'] })).status, 422);
});
