/** Tests of what an operator may say of clients, campaigns and credentials. */
import t from 'tap';
import { readBlocks, readCampaign, readClient } from '../../src/clients/validation.ts';
import { input, RULES } from './house.ts';

function texts(read: object): readonly string[] {
  return 'texts' in read ? (read.texts as readonly string[]) : [];
}

t.test('a good client is read into one spelling', async t => {
  const read = readClient(
    input('acme', {
      privacyUrls: [' https://WWW.Acme.example/privacy '],
      fromDomains: ['Acme.example', 'acme.example.', 'münchen.example'],
      returnPathDomains: ['bounces.platform.example'],
      trackingHosts: ['Links.Platform.example', 'links.platform.example:8443', '192.0.2.1:8443'],
      upstream: 'smtp://relay.example:25',
      maxRate: 0,
      replyAddresses: ['Sales@Acme.example.', ' <sales@acme.example> ', 'team@münchen.example'],
      returnPath: 'Bounces.acme.example',
      tagReplyTo: true,
      forwardTo: 'Inbox+postern@acme.example',
    }),
    RULES,
  );
  t.match(read, {
    replyAddresses: ['sales@acme.example', 'team@xn--mnchen-3ya.example'],
    returnPath: 'bounces.acme.example',
    tagReplyTo: true,
    forwardTo: 'Inbox+postern@acme.example',
    id: 'acme',
    policy: 'basic',
    privacyUrls: ['https://www.acme.example/privacy'],
    fromDomains: ['acme.example', 'xn--mnchen-3ya.example'],
    trackingHosts: ['links.platform.example', 'links.platform.example:8443', '192.0.2.1:8443'],
  });
});

t.test('A13, A33: every problem names its field', async t => {
  for (const [more, expected] of [
    [{ id: 'global' }, /^id: "global" is reserved/],
    [{ id: 'Acme' }, /^id: use 1 to 64/],
    [{ id: '' }, /^id:/],
    [{ name: ' ' }, /^name:/],
    [{ name: 'a\nb' }, /^name:/],
    [{ privacyUrls: [] }, /^privacy-url: at least one/],
    [{ privacyUrls: ['http://acme.example/privacy'] }, /^privacy-url: must be a whole URL that begins with https/],
    [{ privacyUrls: ['acme.example/privacy'] }, /^privacy-url: must be a whole URL/],
    [{ privacyUrls: ['https://user@acme.example/'] }, /^privacy-url: must hold no user name/],
    [{ privacyUrls: ['https://192.0.2.1/privacy'] }, /^privacy-url: 192.0.2.1 is no domain/],
    [{ privacyUrls: ['https://localhost/privacy'] }, /^privacy-url: localhost is no domain/],
    [{ fromDomains: [] }, /^from-domain: at least one/],
    [{ fromDomains: ['co.uk'] }, /^from-domain: co.uk is a public suffix/],
    [{ fromDomains: ['com'] }, /^from-domain: com is no domain name/],
    [{ fromDomains: ['a_b.example'] }, /^from-domain: a_b.example is no domain name/],
    [{ returnPathDomains: ['com.ar'] }, /^return-path-domain: com.ar is a public suffix/],
    [{ trackingHosts: ['https://links.example.com'] }, /^tracking-host:/],
    [{ trackingHosts: ['links.example.com:0'] }, /^tracking-host:/],
    [{ trackingHosts: ['192.0.2.300'] }, /^tracking-host:/],
    [{ policy: 'transactional' }, /^policy: transactional: only a credential may have it; use basic, b2b-prospecting/],
    [{ policy: 'none' }, /^policy: none: there is no such policy/],
    [{ upstream: 'ftp://user:secret@relay.example' }, /^upstream: must begin with smtp/],
    [{ maxRate: -1 }, /^max-rate:/],
    [{ maxSessions: 1.5 }, /^max-sessions:/],
    [{ policy: 'conversation' }, /^policy: conversation: only a credential may have it/],
    [{ replyAddresses: ['acme.example'] }, /^reply-address: acme.example is no address \(no domain\); write it like/],
    [{ replyAddresses: ['sales+q3@acme.example'] }, /^reply-address: sales\+q3@acme.example has a tag/],
    [{ returnPath: 'bounce@acme.example' }, /^return-path: bounce@acme.example is no domain name/],
    [{ returnPath: 'co.uk' }, /^return-path: co.uk is a public suffix/],
    [{ forwardTo: 'inbox' }, /^forward-to: inbox is no address/],
    [{ replyAddresses: ['sales@acme.example'], forwardTo: 'Sales+all@acme.example' }, /^forward-to: .* is a reply address/],
    [{ tagReplyTo: true }, /^tag-reply-to: needs a reply-address/],
  ] as const) {
    const found = texts(readClient({ ...input('acme'), ...more }, RULES));
    t.equal(found.length, 1, JSON.stringify(more));
    t.match(found[0], expected);
    t.notMatch(found[0], /secret/);
  }
  t.equal(texts(readClient(input('acme', { name: '', fromDomains: ['x'], policy: 'none' }), RULES)).length, 3, 'all problems at once');
});

t.test('A10: target domains are never a whole suffix', async t => {
  t.match(readCampaign('q3', ['Widgets.example', 'widgets.example']), { id: 'q3', targetDomains: ['widgets.example'] });
  t.match(texts(readCampaign('q3', ['co.uk', 'not a domain'])), [
    /^target-domain: co.uk is a public suffix/,
    /^target-domain: not a domain/,
  ]);
  t.match(texts(readCampaign('Q 3', [])), [/^campaign:/]);
});

t.test('A33: an address alone is a credential only where it is a narrow one', async t => {
  t.match(texts(readBlocks([], { alone: true })), [/needs at least one/]);
  t.match(texts(readBlocks(['0.0.0.0/0', 'x'], { alone: true })), [/^ip: 0.0.0.0\/0 is too wide/, /^ip: x is no IP/]);
  t.same(texts(readBlocks(['0.0.0.0/0'], { alone: false })), []);
});
