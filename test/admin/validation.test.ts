/** What is said of a request that does not fit: the field and the fix, of the shape that was meant, and never the value. */
import t from 'tap';
import { newOffice } from './support.ts';

const BATCH = '/v1/clients/acme/exclusions/batch';

t.test('each fault is told with its field and a fix to follow', async t => {
  const admin = await (await newOffice(t)).as('admin');
  const table: [method: string, path: string, body: unknown, errors: object[]][] = [
    ['GET', '/v1/clients/acme/replies?state=Closed', undefined, [{ field: 'state', fix: /^one of open/ }]],
    ['GET', '/v1/clients/acme/decisions?outcome=blocked', undefined, [{ field: 'outcome', fix: /^one of .*rejected/ }]],
    ['POST', '/v1/clients/acme/suppressions', { address: 'jane@customer.example', reason: 'no' }, [{ field: 'reason', fix: /opt-out, / }]],
    ['POST', '/v1/clients/acme/campaigns', { id: 'Spring Sale' }, [{ field: 'id', fix: /a-z, 0-9/ }]],
    ['POST', '/v1/clients/acme/credentials', { username: 'm', campaign: 'No' }, [{ field: 'campaign', fix: /a-z, 0-9/ }]],
    ['GET', '/v1/clients?limit=0', undefined, [{ field: 'limit', message: /1/, fix: /1 to 1000/ }]],
    ['GET', '/v1/clients?limit=ten', undefined, [{ field: 'limit', fix: /1 to 1000/ }]],
    ['POST', '/v1/clients', ['acme'], [{ field: '', fix: /openapi\.json/ }]],
    [
      'POST',
      '/v1/clients',
      { nam: 'Acme' },
      [{ field: 'id' }, { field: 'name', fix: 'The company' }, {}, {}, { field: 'nam', fix: /are id, name/ }],
    ],
  ];
  for (const [method, path, body, errors] of table) {
    const { status, ...answer } = await admin(method, path, body);
    t.equal(status, 422, `${method} ${path}`);
    const told = answer.json<{ errors: object[] }>().errors;
    t.match(told, errors);
    t.equal(told.length, errors.length, answer.text);
    t.notMatch(answer.text, /Closed|blocked|Spring Sale|ten"/);
  }
});

t.test('of a body that may have several shapes, only what is wrong with the one that was meant is told', async t => {
  const admin = await (await newOffice(t)).as('admin');
  const address = 'jane@customer.example';
  const table: [body: unknown, fields: string[]][] = [
    [{ entries: [address, { address, phone: 1 }] }, ['entries.1.phone']],
    [{ entries: [3] }, ['entries.0']],
    [{ entries: Array(9_001).fill(address) }, ['entries']],
    [{ Suppressions: [{ EmailAddress: address, Name: 'Jane', Phone: '1' }] }, ['Suppressions.0.Name', 'Suppressions.0.Phone']],
    [{ recipient_emails: [{ email: 3 }] }, ['recipient_emails.0.email']],
    [[address, { address, phone: 1 }], ['1.phone']],
    [{ addresses: [address] }, ['entries', 'addresses']],
  ];
  for (const [body, fields] of table) {
    const answer = await admin('POST', BATCH, body);
    t.equal(answer.status, 422);
    const told = answer.json<{ errors: { field: string }[] }>().errors;
    t.same(told.map(({ field }) => field).sort(), [...fields].sort(), answer.text);
  }
});

t.test('who sends a body in a type that the route does not take is told which it takes', async t => {
  const admin = await (await newOffice(t)).as('admin');
  const table: [path: string, type: string, takes: RegExp, not: RegExp][] = [
    ['imports', 'application/json', /text\/csv.*application\/x-ndjson/, /: application\/json/],
    ['imports', 'multipart/form-data; boundary=x', /text\/csv/, /json,/],
    ['screening', 'application/xml', /application\/json.*text\/csv/, /xml/],
    ['campaigns', 'application/x-www-form-urlencoded', /application\/json/, /csv/],
  ];
  for (const [path, type, takes, not] of table) {
    const answer = await admin('POST', `/v1/clients/acme/${path}`, 'email', { 'content-type': type });
    const { status, detail } = answer.json<{ status: number; detail: string }>();
    t.equal(status, 415);
    t.match(detail, takes);
    t.notMatch(detail, not);
  }
});
