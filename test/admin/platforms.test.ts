/** Lists as platforms answer and take them: a batch, a file with a header and one object a line list the same people for the same reason since the same time. */
import t from 'tap';
import type { CampaignId, ClientId } from '../../src/ids.ts';
import { importList } from '../../src/lists/import.ts';
import { newOffice, type Office } from './support.ts';

const EXCLUSIONS = '/v1/clients/acme/exclusions';
const SUPPRESSIONS = '/v1/clients/acme/suppressions';

/** Rows as the platform has them, the body around them, and what they mean. */
const BODIES: readonly [name: string, rows: readonly object[], body: (rows: readonly object[]) => unknown, acts: readonly string[]][] = [
  [
    'Mailgun unsubscribes',
    [{ address: 'a@list.example', tags: ['*'], created_at: 'Fri, 21 Oct 2022 11:02:55 UTC' }],
    rows => ({ items: rows, paging: { first: 'https://api.mailgun.net/v3/x', next: '', previous: '', last: '' } }),
    ['opt-out 2022-10-21T11:02:55.000Z'],
  ],
  [
    'Mailgun bounces',
    [{ address: 'a@list.example', code: '550', error: 'No such mailbox', created_at: 'Fri, 21 Oct 2022 11:02:55 GMT' }],
    rows => rows,
    ['bounce 2022-10-21T11:02:55.000Z'],
  ],
  [
    'Mailgun, one alone',
    [{ address: 'a@list.example', code: 550, error: '', created_at: 'Fri, 21 Oct 2022 11:02:55 GMT' }],
    ([row]) => row,
    ['bounce 2022-10-21T11:02:55.000Z'],
  ],
  [
    'SendGrid bounces',
    [{ created: 1443651125, email: 'a@list.example', reason: '550 5.1.1 The account does not exist', status: '5.1.1' }],
    rows => rows,
    ['bounce 2015-09-30T22:12:05.000Z'],
  ],
  [
    'SendGrid spam reports',
    [{ created: 1443651141, email: 'a@list.example', ip: '192.0.2.7' }],
    rows => rows,
    ['complaint 2015-09-30T22:12:21.000Z'],
  ],
  ['SendGrid unsubscribes', [{ created: 1443651141, email: 'a@list.example' }], rows => rows, ['import 2015-09-30T22:12:21.000Z']],
  [
    'Postmark',
    ['HardBounce Recipient', 'SpamComplaint Recipient', 'ManualSuppression Recipient', 'ManualSuppression Customer'].map((said, i) => {
      const [SuppressionReason, Origin] = said.split(' ');
      return { EmailAddress: `${'abcd'[i]}@list.example`, SuppressionReason, Origin, CreatedAt: '2019-12-17T08:58:33-05:00' };
    }),
    rows => ({ Suppressions: rows }),
    ['bounce', 'complaint', 'opt-out', 'manual'].map(reason => `${reason} 2019-12-17T13:58:33.000Z`),
  ],
  [
    'Amazon SES',
    [
      { EmailAddress: 'a@list.example', Reason: 'COMPLAINT', LastUpdateTime: '2020-04-10T21:03:05.114000+00:00' },
      { EmailAddress: 'b@list.example', Reason: 'BOUNCE', LastUpdateTime: 1586552585.077 },
    ],
    rows => ({ SuppressedDestinationSummaries: rows, NextToken: 'x' }),
    ['complaint 2020-04-10T21:03:05.114Z', 'bounce 2020-04-10T21:03:05.077Z'],
  ],
  [
    'Amazon SES, one',
    [{ EmailAddress: 'a@list.example', Reason: 'BOUNCE', LastUpdateTime: 1586552585, Attributes: { MessageId: 'x', FeedbackId: 'y' } }],
    ([row]) => ({ SuppressedDestination: row }),
    ['bounce 2020-04-10T21:03:05.000Z'],
  ],
];

interface Act {
  readonly reason: string;
  readonly source: string;
  readonly at: string;
}

async function actsIn(office: Office, campaign: string): Promise<readonly Act[]> {
  const acts: [string, Act][] = [];
  const scope = { owner: 'acme' as ClientId, campaign: campaign as CampaignId };
  for await (const entry of office.house.lists.read(scope, 'exclusion'))
    for (const { reason, source, at } of entry.acts) acts.push([entry.target ?? '', { reason, source, at: new Date(at).toISOString() }]);
  return acts.sort(([one], [other]) => one.localeCompare(other)).map(([, act]) => act);
}

const quoted = (value: unknown): string => `"${(typeof value === 'object' ? JSON.stringify(value) : String(value)).replaceAll('"', '""')}"`;

t.test('B16: what a platform answers lists the same as a batch, as CSV and as one object a line', async t => {
  const office = await newOffice(t);
  const operator = await office.as('operator');
  for (const [i, [name, rows, body, acts]] of BODIES.entries()) {
    for (const way of ['batch', 'csv', 'ndjson']) await office.house.clients.addCampaign('acme', `${way}-${i}`, []);
    const answer = await operator('POST', `${EXCLUSIONS}/batch?campaign=batch-${i}&atomic=true`, body(rows));
    t.match(answer, { status: 200 }, `${name} ${answer.text}`);
    t.match(answer.json(), { added: rows.length, invalid: 0 }, name);
    const files = {
      csv: [Object.keys(rows[0] ?? {}), ...rows.map(row => Object.values(row))].map(cells => cells.map(quoted).join(',')).join('\n'),
      ndjson: rows.map(row => JSON.stringify(row)).join('\n'),
    };
    for (const [way, text] of Object.entries(files)) {
      const scope = { owner: 'acme' as ClientId, campaign: `${way}-${i}` as CampaignId };
      const report = await importList(office.house.lists, scope, pieces(text));
      t.match(report, { added: rows.length, invalid: 0 }, `${name} as ${way}`);
      t.same(await actsIn(office, `${way}-${i}`), await actsIn(office, `batch-${i}`), `${name} as ${way}`);
    }
    t.same(
      (await actsIn(office, `batch-${i}`)).map(({ reason, source, at }) => [`${reason} ${at}`, source]),
      acts.map(act => [act, 'import']),
      name,
    );
  }
});

t.test('law 6: what a platform says a recipient caused, no operator takes back; of what it does not say, the batch does', async t => {
  const office = await newOffice(t);
  const [operator, client] = [await office.as('operator'), await office.as('client')];
  const row = { SuppressionReason: 'ManualSuppression', Origin: 'Recipient', CreatedAt: '2019-12-17T08:58:33-05:00' };
  t.match((await operator('POST', `${SUPPRESSIONS}/batch`, { Suppressions: [{ ...row, EmailAddress: 'jane@list.example' }] })).json(), {
    added: 1,
  });
  t.match(await operator('DELETE', `${SUPPRESSIONS}?address=jane@list.example`), { status: 403 });
  await client('POST', `${SUPPRESSIONS}/batch`, { recipient_emails: ['kim@list.example'] });
  await client('POST', `${SUPPRESSIONS}/batch?reason=opt-out`, { recipient_emails: ['lee@list.example'] });
  await client('POST', `${SUPPRESSIONS}/batch`, { entries: ['ann@list.example'] });
  const reason = async (who: string) => {
    const { items } = (await client('GET', `${SUPPRESSIONS}?address=${who}@list.example`)).json<{ items: { acts: Act[] }[] }>();
    return items.flatMap(({ acts }) => acts.map(act => `${act.reason} ${act.source}`));
  };
  t.same(await reason('kim'), ['import import'], 'as a file that does not say');
  t.same(await reason('lee'), ['opt-out import']);
  t.same(await reason('ann'), ['manual platform']);
});

t.test(
  'A9: of a platform’s body only what is wrong with its own shape is told, and what is not needed is neither kept nor told',
  async t => {
    const office = await newOffice(t);
    const operator = await office.as('operator');
    const EmailAddress = 'jane@list.example';
    const table: [body: unknown, fields: string[]][] = [
      [{ entries: [EmailAddress, { address: EmailAddress, foo: 1 }] }, ['entries.1.foo']],
      [{ items: [{ address: EmailAddress, phone: 1 }], paging: {} }, ['items.0.phone']],
      [{ SuppressedDestinationSummaries: [{ EmailAddress, LastUpdateTime: [] }] }, ['SuppressedDestinationSummaries.0.LastUpdateTime']],
      [{ SuppressedDestination: { EmailAddress, Name: 'Jane' } }, ['SuppressedDestination.Name']],
      [{ Suppressions: [{ EmailAddress }], Next: 1 }, ['Next']],
      [{ address: 3 }, ['address']],
    ];
    for (const [body, fields] of table) {
      const answer = await operator('POST', `${EXCLUSIONS}/batch`, body);
      t.equal(answer.status, 422);
      t.same(
        answer.json<{ errors: { field: string }[] }>().errors.map(({ field }) => field),
        fields,
        answer.text,
      );
    }
    const twice = { address: EmailAddress, email: EmailAddress };
    t.match((await operator('POST', `${EXCLUSIONS}/batch`, [twice, { reason: 'manual' }])).json(), {
      invalid: 2,
      items: [{ error: 'address: named twice' }, { error: /^address: / }],
    });
    const refused = await operator('POST', `${EXCLUSIONS}/batch?atomic=true`, { Suppressions: [{ EmailAddress: 'x' }] });
    t.match(refused.json(), { status: 422, errors: [{ field: 'Suppressions.0' }] }, 'by the name that it has in this shape');
  },
);

async function* pieces(text: string): AsyncIterable<Buffer> {
  yield Buffer.from(`${text}\n`);
}
