/** Whose campaign a message is: a header only adds restrictions, whatever it says and however often (law 5). */
import t from 'tap';
import type { Credential, Profile } from '../../src/clients/profile.ts';
import type { CampaignId } from '../../src/ids.ts';
import { parseMessage } from '../../src/mail/message.ts';
import { campaignsAtDot, campaignsAtRcpt } from '../../src/submission/campaigns.ts';
import { letter } from './gatehouse.ts';

const id = (text: string) => text as CampaignId;
const campaigns = new Map(['spring', 'widgets', 'autumn'].map(name => [id(name), { id: id(name), targetDomains: [] }]));
const profile = { campaigns } as unknown as Profile;
const free: Pick<Credential, 'campaign'> = { campaign: undefined };
const bound: Pick<Credential, 'campaign'> = { campaign: id('spring') };

t.test('at RCPT the credential alone speaks', async t => {
  t.same(campaignsAtRcpt(free), { campaigns: [], named: false });
  t.same(campaignsAtRcpt(bound), { campaigns: ['spring'], named: true });
});

const all = ['spring', 'widgets', 'autumn'];

const cases: readonly {
  readonly of: string;
  readonly credential?: typeof free;
  readonly header?: string;
  readonly lines?: readonly string[];
  /** undefined: refused. */
  readonly expect: readonly string[] | undefined;
  readonly named?: boolean;
}[] = [
  { of: 'no header: every campaign of the client binds', expect: all, named: false },
  { of: 'one header', lines: ['X-Campaign-ID: widgets'], expect: ['widgets'] },
  { of: 'spelled otherwise', lines: ['x-CAMPAIGN-id:   widgets  '], expect: ['widgets'] },
  { of: 'two headers: both bind', lines: ['X-Campaign-ID: widgets', 'X-Campaign-ID: autumn'], expect: ['widgets', 'autumn'] },
  { of: 'the same twice', lines: ['X-Campaign-ID: widgets', 'X-Campaign-ID: widgets'], expect: ['widgets'] },
  { of: "the credential's stays", credential: bound, expect: ['spring'] },
  { of: "a header adds to the credential's", credential: bound, lines: ['X-Campaign-ID: widgets'], expect: ['spring', 'widgets'] },
  { of: 'an unregistered id is refused', lines: ['X-Campaign-ID: winter'], expect: undefined },
  { of: 'one unregistered among registered ones', lines: ['X-Campaign-ID: widgets', 'X-Campaign-ID: winter'], expect: undefined },
  { of: "an unregistered one beside the credential's", credential: bound, lines: ['X-Campaign-ID: winter'], expect: undefined },
  { of: 'an empty one is no campaign', lines: ['X-Campaign-ID: '], expect: undefined },
  { of: 'another case is another id', lines: ['X-Campaign-ID: Widgets'], expect: undefined },
  { of: 'a prototype word is none either', lines: ['X-Campaign-ID: constructor'], expect: undefined },
  { of: 'two in one header', lines: ['X-Campaign-ID: widgets, autumn'], expect: undefined },
  { of: 'another header than the configured one says nothing', lines: ['Feedback-ID: widgets:a:b:c'], expect: all, named: false },
  { of: 'Feedback-ID: its campaign field', header: 'Feedback-ID', lines: ['Feedback-ID: widgets:acme:mail:esp'], expect: ['widgets'] },
  { of: 'Feedback-ID, unregistered', header: 'Feedback-ID', lines: ['Feedback-ID: winter:acme:mail:esp'], expect: undefined },
  { of: 'Feedback-ID without a campaign', header: 'Feedback-ID', lines: ['Feedback-ID: :acme:mail:esp'], expect: all, named: false },
  {
    of: 'Feedback-ID, twice',
    header: 'Feedback-ID',
    lines: ['Feedback-ID: widgets:a:b:c', 'Feedback-ID: winter:a:b:c'],
    expect: undefined,
  },
];

for (const { of, credential = free, header = 'X-Campaign-ID', lines = [], expect, named = true } of cases) {
  t.test(`law 5: ${of}`, async t => {
    const message = parseMessage(Buffer.from([...lines, letter()].join('\r\n')));
    t.same(campaignsAtDot(credential, profile, message, header), expect && { campaigns: expect, named });
  });
}

t.test('a client without campaigns', async t => {
  const none = { campaigns: new Map() } as unknown as Profile;
  const message = parseMessage(Buffer.from(letter()));
  t.same(campaignsAtDot(free, none, message, 'X-Campaign-ID'), { campaigns: [], named: false });
  t.equal(campaignsAtDot(free, none, parseMessage(Buffer.from(letter('X-Campaign-ID: spring'))), 'X-Campaign-ID'), undefined);
});
