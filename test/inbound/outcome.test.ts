/** The outcome table: what each kind of mail that comes back does to the lists, on both real engines. */
import t, { type Test } from 'tap';
import { noRedis, startRedis } from '../support/redis.ts';
import { ACME, AUTUMN, DOMAIN, type Mail, newOffice, OTHER, type Sent, SPRING } from './office.ts';

const JANE = 'jane@widgets.example';
const jane = (permanent: boolean, status = permanent ? '5.1.1' : '4.2.2') => [{ address: JANE, status, permanent }];
const answering = ({ messageId }: Sent): Pick<Mail, 'headers'> => ({ headers: [`In-Reply-To: ${messageId}`] });

interface Row {
  readonly name: string;
  mail(sent: Sent): Mail;
  /** What binds at Jane's next RCPT in the campaign of the mail, and in another. */
  readonly spring: readonly string[];
  readonly autumn: readonly string[];
  readonly line: { kind: string; state: string; matchedBy: string; actions: readonly string[] };
}

const done = (kind: string, matchedBy: string, ...actions: string[]) => ({ kind, state: 'done', matchedBy, actions });
const open = (kind: string, matchedBy: string, ...actions: string[]) => ({ kind, state: 'open', matchedBy, actions });
const bounced = (token: string): Pick<Mail, 'to' | 'from'> => ({ to: `bounce+${token}@${DOMAIN}`, from: 'MAILER-DAEMON@mx.example' });

const OPT_OUT = ['suppression acme opt-out'];
const BOUNCE = ['suppression acme bounce'];

const ROWS: readonly Row[] = [
  {
    name: 'a reply excludes from its campaign',
    mail: sent => ({ as: { kind: 'reply' }, ...answering(sent) }),
    spring: ['exclusion acme/spring reply'],
    autumn: [],
    line: done('reply', 'in-reply-to', 'exclusion acme/spring reply'),
  },
  {
    name: 'an opt-out suppresses for the client',
    mail: sent => ({ as: { kind: 'opt-out' }, ...answering(sent) }),
    spring: OPT_OUT,
    autumn: OPT_OUT,
    line: done('opt-out', 'in-reply-to', 'suppression acme opt-out'),
  },
  {
    name: 'a mail to unsubscribe@ does',
    mail: ({ token }) => ({ as: { kind: 'unsubscribe' }, to: `unsubscribe+${token}@${DOMAIN}` }),
    spring: OPT_OUT,
    autumn: OPT_OUT,
    line: done('unsubscribe', 'token', 'suppression acme opt-out'),
  },
  {
    name: 'a request objects, too',
    mail: sent => ({ as: { kind: 'request', request: 'access' }, ...answering(sent) }),
    spring: ['suppression acme objection'],
    autumn: ['suppression acme objection'],
    line: done('request', 'in-reply-to', 'suppression acme objection'),
  },
  {
    name: 'doubt excludes from the client until it is decided',
    mail: sent => ({ as: { kind: 'review' }, ...answering(sent) }),
    spring: ['exclusion acme review'],
    autumn: ['exclusion acme review'],
    line: open('review', 'in-reply-to', 'exclusion acme review'),
  },
  {
    name: 'a complaint with a token suppresses',
    mail: ({ token }) => ({ as: { kind: 'complaint', recipients: jane(true) }, to: `feedback+${token}@${DOMAIN}`, from: 'fbl@mx.example' }),
    spring: ['suppression acme complaint'],
    autumn: ['suppression acme complaint'],
    line: done('complaint', 'token', 'suppression acme complaint'),
  },
  {
    name: 'a redacted complaint with a token is about the only recipient',
    mail: ({ token }) => ({
      as: { kind: 'complaint', recipients: [], returned: { messageId: undefined, reversePath: `bounce+${token}@${DOMAIN}`, to: [] } },
      to: `feedback@${DOMAIN}`,
      from: 'fbl@mx.example',
    }),
    spring: ['suppression acme complaint'],
    autumn: ['suppression acme complaint'],
    line: done('complaint', 'token', 'suppression acme complaint'),
  },
  {
    name: 'a complaint about mail that we logged suppresses',
    mail: () => ({ as: { kind: 'complaint', recipients: jane(true) }, to: `feedback@${DOMAIN}`, from: 'fbl@mx.example' }),
    spring: ['suppression acme complaint'],
    autumn: ['suppression acme complaint'],
    line: done('complaint', 'recipient', 'suppression acme complaint'),
  },
  {
    name: 'a permanent failure suppresses',
    mail: ({ token }) => ({ as: { kind: 'bounce', recipients: jane(true) }, ...bounced(token) }),
    spring: BOUNCE,
    autumn: BOUNCE,
    line: done('bounce', 'token', 'suppression acme bounce'),
  },
  {
    name: 'a bounce that returns a message of ours counts without a token',
    mail: ({ messageId }) => ({
      as: { kind: 'bounce', recipients: jane(true), returned: { messageId, reversePath: undefined, to: [] } },
      from: 'MAILER-DAEMON@mx.example',
    }),
    spring: BOUNCE,
    autumn: BOUNCE,
    line: done('bounce', 'returned-message', 'suppression acme bounce'),
  },
  {
    name: 'the mailbox that it was forwarded to failed: the token says whom we mailed',
    mail: ({ token }) => ({
      as: { kind: 'bounce', recipients: [{ address: 'private@home.example', status: '5.1.1', permanent: true }] },
      ...bounced(token),
    }),
    spring: BOUNCE,
    autumn: BOUNCE,
    line: done('bounce', 'token', 'suppression acme bounce'),
  },
  {
    name: 'a temporary failure is counted',
    mail: ({ token }) => ({ as: { kind: 'bounce', recipients: jane(false) }, ...bounced(token) }),
    spring: [],
    autumn: [],
    line: done('bounce', 'token', 'counted acme bounce'),
  },
  {
    name: 'a delay is logged',
    mail: ({ token }) => ({ as: { kind: 'bounce', recipients: [] }, ...bounced(token) }),
    spring: [],
    autumn: [],
    line: done('bounce', 'token', 'none'),
  },
  {
    name: 'our own delivery report means nothing',
    mail: ({ token }) => ({ as: { kind: 'bounce', ours: true, recipients: jane(true) }, ...bounced(token) }),
    spring: [],
    autumn: [],
    line: done('bounce', 'token', 'none'),
  },
  {
    name: 'an auto-reply is logged',
    mail: sent => ({ as: { kind: 'auto-reply' }, ...answering(sent) }),
    spring: [],
    autumn: [],
    line: done('auto-reply', 'in-reply-to', 'none'),
  },
  {
    name: 'whoever left the company is not there any more, whoever says so',
    mail: sent => ({ as: { kind: 'auto-reply', left: true }, from: 'reception@widgets.example', ...answering(sent) }),
    spring: BOUNCE,
    autumn: BOUNCE,
    line: done('auto-reply', 'in-reply-to', 'suppression acme bounce'),
  },
  {
    name: 'machine mail is logged',
    mail: sent => ({ as: { kind: 'unknown' }, ...answering(sent) }),
    spring: [],
    autumn: [],
    line: done('unknown', 'in-reply-to', 'none'),
  },
];

async function table(t: Test, storeUrl?: string): Promise<void> {
  for (const { name, mail, spring, autumn, line } of ROWS) {
    await t.test(name, async t => {
      const office = await newOffice(t, storeUrl);
      const sent = await office.sent(JANE, { campaign: SPRING });
      const { outcome, logged } = await office.receive(mail(sent));
      t.equal(outcome, 'applied');
      t.equal(logged.length, 1);
      t.same(await office.listed(JANE, ACME, [SPRING]), spring);
      t.same(await office.listed(JANE, ACME, [AUTUMN]), autumn);
      t.same(await office.listed(JANE, OTHER, [SPRING]), [], 'A1: not for another client');
      for (const stranger of ['MAILER-DAEMON@mx.example', 'fbl@mx.example', 'private@home.example', 'reception@widgets.example']) {
        t.same(await office.listed(stranger), [], 'nobody else');
      }
      const lines = await office.log();
      t.match(lines, [line]);
      t.equal(lines.length, 1, 'A16: one line');
    });
  }
}

t.test('on LMDB', async t => table(t));
t.test('on Redis', { skip: noRedis }, async t => {
  const redis = await startRedis(t);
  const office = await newOffice(t, redis.url);
  for (const [n, { name, mail, spring }] of ROWS.entries()) {
    // One store for all: every row has a person of its own.
    const person = `jane${n}@widgets.example`;
    const sent = await office.sent(person, { campaign: SPRING });
    const text = JSON.stringify(mail(sent)).replaceAll(JANE, person);
    await office.receive({ from: person, ...(JSON.parse(text) as Mail) });
    t.same(await office.listed(person, ACME, [SPRING]), spring, name);
  }
});
