/** Header values: one reading or none. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { angleUris, decodeWords, feedbackCampaign, mailboxes } from '../../src/mail/header.ts';

const read = (value: string): string[] | undefined =>
  mailboxes(value)?.map(({ name, address }) => (name === '' ? address.relayed : `${name}|${address.relayed}`));

t.test('a From that can be read in one way is read', async t => {
  const table: [string, string[]][] = [
    ['a@client.example', ['a@client.example']],
    ['<a@client.example>', ['a@client.example']],
    ['< a@client.example\t>', ['a@client.example']],
    ['Ann Other <a@client.example>', ['Ann Other|a@client.example']],
    ['Ann\tQ. Other<a@client.example>', ['Ann Q. Other|a@client.example']],
    ['"Other, Ann" <A@Client.Example.>', ['Other, Ann|A@client.example']],
    ['"a@client.example" <x@evil.example>', ['a@client.example|x@evil.example']],
    ['"<a@client.example>" <x@evil.example>', ['<a@client.example>|x@evil.example']],
    ['"a \\"b\\" \\\\" <a@client.example>', ['a "b" \\|a@client.example']],
    ['"a@client.example" x@evil.example', []],
    ['=?utf-8?Q?J=C3=BCrgen?= =?utf-8?Q?_M?= <a@client.example>', ['Jürgen M|a@client.example']],
    ['=?utf-8?q?a=40client.example_=3Ca=40client.example=3E?= <x@evil.example>', ['a@client.example <a@client.example>|x@evil.example']],
    ['Jürgen <jürgen@bücher.example>', ['Jürgen|jürgen@xn--bcher-kva.example']],
    ['a@client.example (Ann (the one, \\) and only))', ['a@client.example']],
    ['(x)Ann(y)<(z)a@client.example(z)>(z)', ['Ann|a@client.example']],
    ['"root" (Cron Daemon) <root@client.example>', ['root|root@client.example']],
    ['"a b"@client.example', ['"a b"@client.example']],
    ['"a"."b"@client.example', []],
    ['a@client.example, "B, C" <b@client.example> , c@other.example', ['a@client.example', 'B, C|b@client.example', 'c@other.example']],
    ['Sales: a@client.example, B <b@client.example>;', ['a@client.example', 'B|b@client.example']],
    ['Sales: a@client.example;, "x y": ;, c@client.example', ['a@client.example', 'c@client.example']],
  ];
  for (const [value, expected] of table) t.same(read(value), expected.length === 0 ? undefined : expected, value);
  t.same(read('Undisclosed recipients:;'), [], 'an empty group names nobody');
  t.same(read('Undisclosed recipients: (nobody) ;'), []);
});

t.test('a From that two readers read differently is not read', async t => {
  const values = [
    'a@client.example <x@evil.example>',
    'a@client.example, <x@evil.example',
    'Ann <a@client.example> <x@evil.example>',
    'Ann <a@client.example>, ',
    ', a@client.example',
    'a@client.example,,b@client.example',
    '<a@client.example> x@evil.example',
    '<a@client.example> Ann',
    '<<a@client.example>>',
    '<a@client.example, x@evil.example>',
    'Ann <@evil.example:a@client.example>',
    'Ann <@evil.example,@x:a@client.example>',
    'Other, Ann <a@client.example>',
    'Ann: <a@client.example>',
    'Ann: <a@client.example>; x',
    'Ann: <a@client.example>; x@evil.example',
    'Ann: <a@client.example>,;',
    'Ann: B: <a@client.example>;;',
    ': a@client.example;',
    'a@client.example;',
    'Ann <a@client.example> (x@evil.example)',
    'a@client.example (<x@evil.example>)',
    '(a@client.example) x@evil.example',
    'a@client.example (',
    'a@client.example )',
    '(a\\) a@client.example',
    'Ann "a@client.example',
    '"Ann\\" <a@client.example>',
    'a @client.example',
    'a@ client.example',
    'a(c)@client.example',
    'a@client. example',
    'Ann a@client.example',
    'a@client.example b@client.example',
    'a@client.example\tb@client.example',
    'a@client.example\nb@client.example',
    'a@client.example\r\n',
    'a@client.example\u0000',
    'a@client.example\\',
    'a@[192.0.2.1]',
    'a@client',
    'a@@client.example',
    'a@x@client.example',
    '=?utf-8?q?x=40evil.example?=@client.example',
    'x%evil.example@client.example',
    '[Ann] <a@client.example>',
    'Ann @ Home <a@client.example>',
    '=?utf-8?Q?a@b?= <a@client.example>',
    '. <a@client.example>',
    'Ann <>',
    'Ann',
    '""',
    '',
    ' ',
    '(c)',
    ';',
    '<',
    '>',
  ];
  for (const value of values) t.equal(read(value), undefined, JSON.stringify(value));
});

t.test('hostile fields of 256 KiB are read in linear time: anything else would outlast the test', async t => {
  for (const unit of ['(', '"', '<', 'a@b.example,', '\\', '" ', '=?a?q?', '()', 'a ', '.', ':', '"\\"', '=? ', '<a@b.example>']) {
    const value = unit.repeat((256 * 1024) / unit.length);
    t.equal(mailboxes(value), undefined, JSON.stringify(unit));
    angleUris(value);
    feedbackCampaign(value);
  }
  const many = 'a@b.example,'.repeat(20_000);
  t.equal(mailboxes(`${many}a@b.example`)?.length, 20_001);
  t.equal(angleUris('<https://a.example/>,'.repeat(10_000))?.length, 10_000);
  t.equal(mailboxes(`${'a '.repeat(100_000)}<a@client.example>`)?.length, 1);
});

t.test('A15: the URIs of List-Unsubscribe', async t => {
  const table: [string, string[] | undefined][] = [
    ['<https://client.example/u?t=1>', ['https://client.example/u?t=1']],
    [
      '<mailto:u@client.example?subject=stop>, <https://client.example/u>',
      ['mailto:u@client.example?subject=stop', 'https://client.example/u'],
    ],
    ['<https://client.example/\t u?a=1,2\r\n b>,<mailto:u@client.example>', ['https://client.example/u?a=1,2b', 'mailto:u@client.example']],
    [
      '(use this, please) <mailto:u@client.example> (or), (that <x>) <https://client.example/u> (end)',
      ['mailto:u@client.example', 'https://client.example/u'],
    ],
    ['<mailto:u@client.example> <https://client.example/u>', ['mailto:u@client.example']],
    ['<mailto:u@client.example>, https://client.example/u, <https://client.example/v>', ['mailto:u@client.example']],
    ['<mailto:u@client.example>,', ['mailto:u@client.example']],
    ['<mailto:u@client.example>, <https://client.example/u', ['mailto:u@client.example']],
    ['https://client.example/u', undefined],
    ['NO', undefined],
    ['', undefined],
    ['<>', undefined],
    ['< \t>', undefined],
    ['<https://client.example/u', undefined],
    ['(<https://client.example/u>', undefined],
    ['<<https://client.example/u>>', undefined],
  ];
  for (const [value, expected] of table) t.same(angleUris(value), expected, JSON.stringify(value));
});

t.test('the campaign of a Feedback-ID', async t => {
  const table: [string, string | undefined][] = [
    ['spring-26:client:newsletter:sender', 'spring-26'],
    [' spring-26 :: :sender', 'spring-26'],
    [':::sender', undefined],
    [' :a:b:sender', undefined],
    ['spring-26', undefined],
    ['a:b:sender', undefined],
    ['a:b:c:d:sender', undefined],
    ['', undefined],
  ];
  for (const [value, expected] of table) t.equal(feedbackCampaign(value), expected, value);
});

t.test('RFC 2047 words are decoded, half ones stay', async t => {
  const table: [string, string][] = [
    ['=?ISO-8859-1?Q?Stra=DFe?=', 'Straße'],
    ['=?utf-8?B?w7w=?= =?utf-8?B?w7w=?= x', 'üü x'],
    ['=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=', 'ü'],
    ['=?utf-8?q?half', '=?utf-8?q?half'],
    ['plain', 'plain'],
  ];
  for (const [value, expected] of table) t.equal(decodeWords(value), expected, value);
});

interface HeaderCase {
  readonly id: string;
  readonly kind: string;
  readonly input: string;
  readonly expected: { readonly list?: readonly Entry[]; readonly asserts?: readonly { readonly path: string; readonly equal: unknown }[] };
}
interface Entry {
  readonly address?: string;
  readonly group?: readonly Entry[];
}

const corpus = join(process.env.POSTERN_CORPUS ?? join(import.meta.dirname, '../../../shared/corpus'), 'addresses.jsonl');

t.test('a public parser’s suite: read the same, or not at all', { skip: existsSync(corpus) ? false : 'no corpus here' }, async t => {
  const flat = (entries: readonly Entry[]): string[] =>
    entries.flatMap(({ address = '', group }) => (group === undefined ? [address] : flat(group)));
  let same = 0;
  let unread = 0;
  for (const line of readFileSync(corpus, 'utf8').split('\n')) {
    if (line.trim() === '') continue;
    const { id, kind, input, expected } = JSON.parse(line) as HeaderCase;
    if (kind !== 'header_list') continue;
    const found = mailboxes(input)?.map(({ address }) => address.relayed);
    if (found === undefined) {
      unread += 1;
      continue;
    }
    same += 1;
    if (expected.list !== undefined) t.same(found, flat(expected.list), id);
    for (const { path, equal } of expected.asserts ?? []) {
      const address = /^\$\[(\d+)\]\.address$/.exec(path);
      if (address !== null) t.equal(found[Number(address[1])], equal, id);
      else if (path === '$.length' && !input.includes(':')) t.equal(found.length, equal, id);
    }
  }
  t.ok(same >= 8, `${same} read the same, ${unread} not read`);
});
