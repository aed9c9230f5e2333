/** Domains: one spelling for one domain, and no parent that only looks like one. */
import t from 'tap';
import { coveredByAny, covers, isPublicSuffix, parseDomain, suffixes } from '../../src/mail/domain.ts';

t.test('A19: every spelling of a domain is one domain', async t => {
  const classes: Record<string, readonly string[]> = {
    'example.com': ['example.com', 'EXAMPLE.com', 'Example.Com.', 'example.com.'],
    'xn--bcher-kva.example': [
      'bücher.example',
      'BÜCHER.example',
      'Bu\u0308cher.example',
      'xn--bcher-kva.example',
      'XN--BCHER-KVA.EXAMPLE.',
      'bücher.example.',
      'xn--bcher-KVA.example',
    ],
    'xn--fa-hia.example': ['faß.example', 'FAß.example', 'xn--fa-hia.example'],
    'fass.example': ['FASS.example'],
    'xn--fiq228c.xn--fiqs8s': ['中文.中国', 'xn--fiq228c.中国'],
    'xn--42c6g8c.example': ['ค\u0e33.example', 'ค\u0e4d\u0e32.example'],
    'xn--mxa9ab.example': ['ΣΑΣ.example', 'σασ.example'],
    'xn--mxa8ab.example': ['σας.example'],
    'xn--1-ymc.example': ['ا1.example'],
    'a--b.r3---x.example': ['a--b.R3---x.example'],
    '1.2.3.example': ['1.2.3.example'],
    '0.example': ['0.example'],
  };
  for (const [domain, spellings] of Object.entries(classes)) {
    for (const spelling of spellings) t.equal(parseDomain(spelling), domain, JSON.stringify(spelling));
    t.equal(parseDomain(domain), domain, `${domain} is its own spelling`);
  }
});

t.test('A19: what is no domain name, or only looks like one, is refused', async t => {
  const label63 = 'a'.repeat(63);
  const table: Record<string, readonly string[]> = {
    shape: ['', '.', '..', 'example', 'example.', '.example.com', 'a..example', 'example.com..', ' example.com', 'example.com ', 'a b.com'],
    alphabet: [
      'a_b.example',
      'a/b.example',
      'a%62.example',
      'a@b.example',
      'a:25.example',
      'exam\tple.com',
      'exam\u0000ple.com',
      '*.example',
    ],
    hyphens: ['-a.example', 'a-.example', 'a.-example', 'xn--.example', 'xn---.example'],
    length: [
      `${label63}a.example`,
      `${label63}.${label63}.${label63}.${label63}`,
      `${'a.'.repeat(200)}example`,
      `${'ü'.repeat(60)}.example`,
    ],
    numbers: ['1.2.3.4', '127.1', '0x7f.1', 'a.0x1', 'example.123', '[192.0.2.1]', '[IPv6:2001:db8::1]', '2001:db8::1'],
    'fake A-labels': [
      'xn--a.example',
      'xn--abc-.example',
      'xn--example-.com',
      'xn--0x.example',
      'xn--xn---epa.example',
      'xn--zzzzzzz99999.example',
      'xn--bücher.example',
      'xn--xyz-ñ.example',
      'xn--a-0hb.example',
    ],
    'look-alikes': [
      'ｅxample.com',
      'example.ｃom',
      'exa\u00admple.com',
      'exam\u200bple.com',
      'ex\u200dample.com',
      '\ufeffexample.com',
      'example\u3002com',
      'example\uff0ecom',
      'bücher\u3002example',
      'bü\u00adcher.example',
      'ſample.com',
      'eﬀect.example',
      'bü①.example',
      'ℂ.example',
      'bü cher.example',
      'bü\u3000cher.example',
      'bü\ufffd.example',
      '\ud800.example',
      'bü／.example',
    ],
  };
  for (const [why, spellings] of Object.entries(table)) {
    for (const spelling of spellings) t.equal(parseDomain(spelling), undefined, `${why}: ${JSON.stringify(spelling.slice(0, 40))}`);
  }
  t.equal(parseDomain(`${label63}.${label63}.${label63}.${'a'.repeat(61)}`)?.length, 253);
  t.equal(parseDomain(`${label63}.${label63}.${label63}.${'a'.repeat(62)}`), undefined);
});

t.test('a parsed domain parses to itself', async t => {
  const pieces = [
    'a',
    'Z',
    '9',
    '-',
    '.',
    'xn--',
    'kva',
    'ü',
    'u\u0308',
    'ß',
    'Σ',
    'ς',
    'א',
    '1',
    '中',
    '\u00ad',
    '\u200d',
    'क्',
    'İ',
    'ﬁ',
    '☃',
    'com',
  ];
  let state = 20261103;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let parsed = 0;
  for (let run = 0; run < 20_000; run += 1) {
    const text = `${Array.from({ length: 1 + next(6) }, () => pieces[next(pieces.length)]).join('')}.com`;
    const domain = parseDomain(text);
    if (domain === undefined) continue;
    parsed += 1;
    if (parseDomain(domain) !== domain || !/^[a-z0-9.-]+$/.test(domain)) t.fail(`not stable: ${JSON.stringify(text)} → ${domain}`);
  }
  t.ok(parsed > 1000, `${parsed} of the random texts were domains`);
});

t.test('A10, A19: a parent covers on label boundaries only', async t => {
  const table: [string, string, boolean][] = [
    ['widgets.example', 'widgets.example', true],
    ['widgets.example', 'mail.widgets.example', true],
    ['widgets.example', 'a.b.widgets.example', true],
    ['widgets.example', 'notwidgets.example', false],
    ['widgets.example', 'widgets.example.evil.example', false],
    ['widgets.example', 'example', false],
    ['mail.widgets.example', 'widgets.example', false],
    ['widgets.example', 'widgets-example', false],
  ];
  for (const [parent, domain, expected] of table) t.equal(covers(parent, domain), expected, `${parent} ⊇ ${domain}`);
  t.equal(coveredByAny('mail.widgets.example', ['a.example', 'widgets.example']), true);
  t.equal(coveredByAny('mail.widgets.example', ['a.example', 'b.widgets.example']), false);
  t.equal(coveredByAny('mail.widgets.example', []), false);
  t.same(suffixes('a.b.widgets.example'), ['a.b.widgets.example', 'b.widgets.example', 'widgets.example']);
  t.same(suffixes('widgets.example'), ['widgets.example']);
  t.same(suffixes('example'), []);
});

t.test('public suffixes are the registries’, not the hosters’', async t => {
  for (const suffix of ['com', 'co.uk', 'xn--55qx5d.cn', 'xn--p1ai', 'unknown-tld', 'kobe.jp', 'foo.kobe.jp'])
    t.equal(isPublicSuffix(suffix), true, suffix);
  for (const domain of ['example.com', 'a.co.uk', 'github.io', 'blogspot.com', 'a.unknown-tld', 'city.kobe.jp', 'a.xn--55qx5d.cn']) {
    t.equal(isPublicSuffix(domain), false, domain);
  }
});
