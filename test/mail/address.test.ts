/** Addresses: one person however spelled, and relayed as what was checked. */
import fc from 'fast-check';
import t from 'tap';
import { type Address, basePerson, isAddress, type PathProblem, parseAddress, parsePerson, plainAddress } from '../../src/mail/address.ts';

const utf8 = { utf8: true };
const ascii = { utf8: false };

function made(parsed: Address | PathProblem): Address {
  if (!isAddress(parsed)) throw new Error(parsed.detail);
  return parsed;
}

t.test('A19: every spelling of a person is that person, and is relayed as one address', async t => {
  // base form → [spelling, what is relayed]; without the second the spelling itself
  const classes: Record<string, readonly (readonly [string, string?])[]> = {
    'jane@widgets.example': [
      ['jane@widgets.example'],
      ['jane@WIDGETS.Example', 'jane@widgets.example'],
      ['Jane@widgets.example'],
      ['JANE@widgets.example.', 'JANE@widgets.example'],
      ['jane+news@widgets.example'],
      ['Jane+News+2@widgets.example.', 'Jane+News+2@widgets.example'],
      ['jane+@widgets.example'],
      ['"jane"@widgets.example', 'jane@widgets.example'],
      ['"jane+news"@widgets.example', 'jane+news@widgets.example'],
      ['"\\j\\a\\n\\e"@widgets.example', 'jane@widgets.example'],
      ['@relay.example:jane@widgets.example', 'jane@widgets.example'],
      ['@relay.example,@b:"Jane"@widgets.example.', 'Jane@widgets.example'],
      ['@bücher.example:jane@widgets.example', 'jane@widgets.example'],
      ['"jane+a b"@widgets.example'],
    ],
    'jane.doe@xn--bcher-kva.example': [
      ['jane.doe@bücher.example', 'jane.doe@xn--bcher-kva.example'],
      ['jane.doe@BÜCHER.example.', 'jane.doe@xn--bcher-kva.example'],
      ['Jane.Doe@xn--bcher-kva.example'],
      ['jane.doe@XN--Bcher-KVA.EXAMPLE', 'jane.doe@xn--bcher-kva.example'],
      ['"jane.doe"@bu\u0308cher.example', 'jane.doe@xn--bcher-kva.example'],
      ['jane.doe+x@bücher.example', 'jane.doe+x@xn--bcher-kva.example'],
    ],
    'jürgen@widgets.example': [
      ['jürgen@widgets.example'],
      ['JÜRGEN@widgets.example'],
      ['ju\u0308rgen@widgets.example', 'jürgen@widgets.example'],
      ['"ju\u0308rgen+x"@widgets.example', 'jürgen+x@widgets.example'],
    ],
    'οδοσ.α@widgets.example': [['οδος.α@widgets.example'], ['ΟΔΟΣ.Α@widgets.example'], ['οδοσ.α@widgets.example']],
    'ก\u0e4d\u0e32@widgets.example': [['ก\u0e33@widgets.example'], ['ก\u0e4d\u0e32@widgets.example']],
    'strasse@widgets.example': [['strasse@widgets.example'], ['STRASSE@widgets.example']],
    '"jane doe"@widgets.example': [
      ['"jane doe"@widgets.example'],
      ['"Jane\\ Doe"@widgets.example', '"Jane Doe"@widgets.example'],
      ['"jane doe+x"@widgets.example'],
    ],
    '"jane..doe"@widgets.example': [['"jane..doe"@widgets.example']],
    '"jane."@widgets.example': [['"jane."@widgets.example'], ['jane.+x@widgets.example']],
    '""@widgets.example': [['""@widgets.example']],
    '"\\""@widgets.example': [['"\\""@widgets.example']],
    '"\\\\"@widgets.example': [['"\\\\"@widgets.example']],
    '+news@widgets.example': [['+news@widgets.example'], ['"+News"@widgets.example', '+News@widgets.example']],
    "o'hara/x=1{}|~#$&*-_`^?@widgets.example": [["o'hara/x=1{}|~#$&*-_`^?@widgets.example"]],
    'prvs=123abc=jane@widgets.example': [['prvs=123abc=jane@widgets.example']],
    'bounces@widgets.example': [['bounces+jane=other.example@widgets.example']],
    '100%@widgets.example': [['100%@widgets.example']],
  };
  for (const [base, spellings] of Object.entries(classes)) {
    for (const [spelling, relayed = spelling] of spellings) {
      const address = made(parseAddress(spelling, utf8));
      t.equal(basePerson(address), base, JSON.stringify(spelling));
      t.equal(address.relayed, relayed, `${JSON.stringify(spelling)} relayed`);
      t.same(parseAddress(address.relayed, utf8), address, `${JSON.stringify(spelling)} relayed is the same address`);
    }
    t.equal(basePerson(made(parsePerson(base))), base, `${base} is its own base form`);
  }
});

t.test('A19: different people stay different', async t => {
  const people = [
    'jane@widgets.example',
    'jane@notwidgets.example',
    'jane@mail.widgets.example',
    'ja.ne@widgets.example',
    'jane-x@widgets.example',
    '"jane "@widgets.example',
  ];
  const bases = people.map(person => basePerson(made(parseAddress(person, utf8))));
  t.equal(new Set(bases).size, people.length);
});

t.test('lengths are those of RFC 5321 §4.5.3.1', async t => {
  t.ok(isAddress(parseAddress(`${'a'.repeat(64)}@y.example`, ascii)));
  t.ok(isAddress(parseAddress(`${'ü'.repeat(32)}@y.example`, utf8)));
  const domain = `${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(60)}`;
  t.ok(isAddress(parseAddress(`${'a'.repeat(65 - 2)}@${domain}.f`, ascii)), '254 octets');
  t.notOk(isAddress(parseAddress(`${'a'.repeat(65 - 1)}@${domain}.f`, ascii)), '255 octets');
});

t.test('non-ASCII needs SMTPUTF8 (RFC 6531), and only what is relayed decides what the upstream needs', async t => {
  for (const path of [
    'jürgen@widgets.example',
    'jane@bücher.example',
    '"ü"@widgets.example',
    '@bücher.example:jane@widgets.example',
    'u\ufffd@y.example',
    'ü%x@y',
  ]) {
    t.match(parseAddress(path, ascii), { problem: 'utf8' }, path);
  }
  t.equal(made(parseAddress('jane@bücher.example', utf8)).utf8, false);
  t.equal(made(parseAddress('jürgen@xn--bcher-kva.example', utf8)).utf8, true);
  t.equal(made(parseAddress('Jane@xn--bcher-kva.example', ascii)).utf8, false);
  t.equal(made(parseAddress('\u212aarl@widgets.example', utf8)).relayed, 'Karl@widgets.example', 'a Kelvin sign is a K in NFC');
});

t.test('A23: both spellings of a tagged address are kept for legacy hashes', async t => {
  t.match(made(parseAddress('Jane+News@widgets.example', ascii)), { local: 'jane', taggedLocal: 'jane+news' });
  t.match(made(parseAddress('Jane@widgets.example', ascii)), { local: 'jane', taggedLocal: 'jane' });
  t.match(made(parseAddress('"a b+c"@widgets.example', ascii)), { local: '"a b"', taggedLocal: '"a b+c"' });
});

t.test('an operator may paste what a mail reader shows', async t => {
  for (const text of [
    'jane@widgets.example',
    '  jane@widgets.example\r\n',
    '<Jane@widgets.example>',
    ' < jane@widgets.example > ',
    '\ufeffjane@widgets.example',
  ]) {
    t.equal(basePerson(made(parsePerson(text))), 'jane@widgets.example', JSON.stringify(text));
  }
  for (const text of [
    '',
    '<>',
    'widgets.example',
    'Jane <jane@widgets.example>',
    '<jane@widgets.example',
    '<<jane@widgets.example>>',
    'jane@widgets.example, joe@widgets.example',
  ]) {
    t.notOk(isAddress(parsePerson(text)), JSON.stringify(text));
  }
});

t.test('A19: whatever is taken, what is relayed parses to the same address', async t => {
  const pieces = [
    'a',
    'B',
    'z.',
    '.',
    '+',
    '+t',
    '"',
    '\\',
    ' ',
    '@',
    '%',
    '!',
    ',',
    '(',
    'ü',
    'u\u0308',
    'İ',
    'ẞ',
    'ß',
    'Σ',
    'ς',
    'ǅ',
    'Ⱥ',
    '\u0338',
    '\u0e33',
    '\u0345',
    'א',
    'Ꭰ',
    '\u212a',
    '\u00ad',
    '\u200d',
    '１',
    '😀',
    '가',
    'ᄀ',
    'ᅡ',
    '=?',
    '?q?',
    '\u0000',
    '<',
    '>',
    '\ud83d',
  ];
  let state = 19;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let taken = 0;
  let quoted = 0;
  for (let run = 0; run < 60_000; run += 1) {
    const content = Array.from({ length: next(7) }, () => pieces[next(pieces.length)]).join('');
    const text = `${next(2) === 0 ? content : `"${content}"`}@${['Widgets.example', 'bücher.EXAMPLE.', 'xn--bcher-kva.example'][next(3)]}`;
    const address = parseAddress(text, utf8);
    if (!isAddress(address)) continue;
    taken += 1;
    if (address.relayed.startsWith('"')) quoted += 1;
    const again = parseAddress(address.relayed, { utf8: address.utf8 });
    const base = parsePerson(basePerson(address));
    const stable =
      isAddress(again) &&
      JSON.stringify(again) === JSON.stringify(address) &&
      isAddress(base) &&
      base.local === address.local &&
      base.domain === address.domain;
    if (!stable) t.fail(`not stable: ${JSON.stringify([text, address, again, base])}`);
    if (/[\x00-\x1f\x7f<>\u00ad\u200d]/.test(address.relayed) || address.relayed.split('@').length !== 2)
      t.fail(`unsafe: ${JSON.stringify([text, address])}`);
  }
  t.ok(taken > 3000, `${taken} taken`);
  t.ok(quoted > 300, `${quoted} of them in quotes`);
});

t.test('A19: the short way for plain addresses says what the long way says', async t => {
  const label = fc.oneof(fc.stringMatching(/^[a-z0-9_.-]{1,6}$/), fc.stringMatching(/^[a-zA-Z0-9_.+%!-]{1,12}$/));
  const part = fc.oneof(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,8}$/), fc.constantFrom('xn--a', 'xn--bcher-kva', 'com', '1', '-', 'a--b'));
  const domain = fc.array(part, { minLength: 2, maxLength: 4 });
  let plain = 0;
  fc.assert(
    fc.property(label, domain, (local, labels) => {
      const text = `${local}@${labels.join('.')}`;
      const short = plainAddress(text);
      if (short === undefined) return;
      plain += 1;
      // In quotes it goes the long way.
      t.same(parseAddress(`"${local}"@${labels.join('.')}`, ascii), short);
    }),
    { numRuns: 2_000 },
  );
  t.ok(plain > 50, 'some of them were plain');
  for (const no of ['*@a.example', 'a@b', 'A@b.example', 'a@xn--bcher-kva.example', 'a..b@c.example', `${'a'.repeat(60)}@b.example`])
    t.equal(plainAddress(no), undefined, no);
});
