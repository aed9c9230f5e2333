/** Tests of personal addresses and of the tables behind them. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import t from 'tap';
import { parse } from 'yaml';
import { type PersonalAddressOptions, personalAddress } from '../../src/checks/personal-address.ts';
import { loadPersonalDomains } from '../../src/checks/personal-domains.ts';
import { isPublicSuffix, parseDomain, suffixes } from '../../src/mail/domain.ts';
import { address, submission, told } from './asking.ts';

const provider = loadPersonalDomains();
const REFUSED = '550 5.7.1 Recipient may not be mailed (personal) | personal';

function check(options: Partial<PersonalAddressOptions> = {}) {
  return personalAddress.create({ ...personalAddress.defaults, ...options }, { provider });
}

t.test('A4: free mail and consumer internet providers are refused, companies are not', async t => {
  for (const domain of [
    ...['gmail.com', 'GMAIL.com', 'gmail.com.', 'googlemail.com', 'hotmail.com', 'outlook.com', 'yahoo.co.uk', 'icloud.com', 'proton.me'],
    ...['gmx.de', 'gmx.ch', 'web.de', 't-online.de', 'mail.ru', 'qq.com', 'hotmail.com.ar', 'austin.rr.com', 'anything.rr.com'],
    ...[
      'magenta.de',
      'bbox.fr',
      'plus.com',
      'telefonica.net',
      'ziggo.nl',
      'telia.com',
      'op.pl',
      'ocn.ne.jp',
      'spectrum.net',
      'xplornet.ca',
      'mweb.co.za',
    ],
    ...['comcast.net', 'btinternet.com', 'orange.fr', 'libero.it', 'bigpond.com', 'posteo.de', 'mailinator.com', 'aruba.it', 'rogers.com'],
  ]) {
    t.equal(told(await check().rcpt?.(address(`jane@${domain}`), submission())), REFUSED, domain);
  }
  for (const domain of [
    ...['widgets.example', 'example.com', 'gmail.com.widgets.example', 'notgmail.com', 'siemens.com', 'bt.com', 'parrot.com', 'nus.edu.sg'],
    ...[
      'empresa.com.ar',
      'firma.net.ua',
      'kantor.web.id',
      'biz.za.com',
      'zavod.spb.ru',
      'staff.aruba.it',
      'rci.rogers.com',
      'firma.seznam.cz',
    ],
    ...['telekom.de', 'orange.com', 'verizon.com', 'seznam-partner.example'],
  ]) {
    t.equal(told(await check().rcpt?.(address(`jane@${domain}`), submission())), 'pass', domain);
  }
});

t.test("A4: the operator's own word: most specific first, deny over allow", async t => {
  const options = {
    allow: ['gmail.com', 'Shop.example', 'firma.berlin.de', 'both.example'],
    deny: ['shop.example', 'club.gmail.com', 'verein.example', 'both.example', 'münchen.example'],
  };
  for (const [domain, expected] of [
    ['gmail.com', 'pass'],
    ['sub.gmail.com', 'pass'],
    ['club.gmail.com', REFUSED],
    ['x.club.gmail.com', REFUSED],
    ['shop.example', REFUSED],
    ['verein.example', REFUSED],
    ['mail.verein.example', REFUSED],
    ['notverein.example', 'pass'],
    ['xn--mnchen-3ya.example', REFUSED],
    ['googlemail.com', REFUSED],
  ] as const) {
    t.equal(told(await check(options).rcpt?.(address(`jane@${domain}`), submission())), expected, domain);
  }
});

t.test('the reason names the provider, never the recipient', async t => {
  const verdict = await check().rcpt?.(address('jane@mail.gmail.com'), submission());
  t.equal(verdict?.reason, 'gmail.com gives mailboxes to private persons');
});

t.test('A4: the table is whole and says something new', async t => {
  const tables = parse(readFileSync(new URL('../../config/consumer-domains.yaml', import.meta.url), 'utf8')) as {
    business: Record<string, string>;
    personal: Record<string, Record<string, string>>;
  };
  const packaged = new Set((createRequire(import.meta.url)('email-providers/all.json') as string[]).filter(name => !isPublicSuffix(name)));
  const listed = Object.values(tables.personal).flatMap(names => Object.keys(names));
  t.ok(listed.length >= 150, `${listed.length} domains`);
  t.equal(new Set(listed).size, listed.length, 'none twice');
  for (const country of Object.keys(tables.personal)) t.match(country, /^[A-Z]{2}$/);
  t.same(
    listed.filter(name => parseDomain(name) !== name || isPublicSuffix(name)),
    [],
    'all are domains',
  );
  t.same(
    listed.filter(name => suffixes(name).some(suffix => packaged.has(suffix))),
    [],
    'none that the package has already',
  );
  const covered = new Set([...packaged, ...listed]);
  const idle = Object.keys(tables.business).filter(name => !suffixes(name).some(suffix => covered.has(suffix)));
  t.same(idle, [], 'a correction corrects something');
});
