/** The tokeniser against the standard's reference implementation, on generated and hostile markup. */
import { SAXParser } from 'parse5-sax-parser';
import t from 'tap';
import { References } from '../../../src/mail/html/references.ts';
import { type Attributes, tokenize } from '../../../src/mail/html/tokens.ts';
import { choice, random } from './generate.ts';

type Token = readonly [kind: 'open' | 'close' | 'text', ...rest: unknown[]];

/** Neighbouring texts joined: where text is cut means nothing. */
function joined(tokens: readonly Token[]): readonly Token[] {
  const result: Token[] = [];
  for (const token of tokens) {
    const last = result.at(-1);
    if (token[0] === 'text' && last?.[0] === 'text') result[result.length - 1] = ['text', `${last[1]}${token[1]}`];
    else result.push(token);
  }
  return result;
}

function ours(html: string): readonly Token[] {
  const references = new References(html);
  const tokens: Token[] = [];
  const ignore = (): void => {};
  tokenize(html, {
    startTag: (name, attributes, selfClosing) => tokens.push(['open', name, list(attributes, references), selfClosing]),
    endTag: name => tokens.push(['close', name]),
    text: raw => tokens.push(['text', references.text(raw)]),
    rawText: (name, content) => tokens.push(['text', name === 'title' || name === 'textarea' ? references.text(content) : content]),
    doctype: ignore,
    bogus: ignore,
    done: false,
  });
  return joined(tokens);
}

function list(attributes: Attributes, references: References): readonly (readonly [string, string])[] {
  const seen = new Map<string, string>();
  for (const [name, value] of attributes) if (!seen.has(name)) seen.set(name, references.value(value));
  return [...seen];
}

function theirs(html: string): Promise<readonly Token[]> {
  return new Promise((resolve, reject) => {
    const tokens: Token[] = [];
    const parser = new SAXParser();
    parser.on('startTag', tag => tokens.push(['open', tag.tagName, tag.attrs.map(({ name, value }) => [name, value]), tag.selfClosing]));
    parser.on('endTag', tag => tokens.push(['close', tag.tagName]));
    parser.on('text', ({ text }) => tokens.push(['text', text]));
    parser.on('end', () => resolve(joined(tokens)));
    parser.on('error', reject);
    parser.end(html);
    parser.resume();
  });
}

/** Pieces that meet each other in every order: half of them are broken. */
// biome-ignore format: a heap of pieces
const PIECES = [
  '<p>', '</p>', '<P CLASS=x>', '<a href="https://client.example/privacy?a=1&amp;b=2">', "<a href='x&copy=1&copyx;'>", '<a href=x/y/>',
  '<a/href=x>', '<a =x=y>', '<a href = "x" href=y>', '<a\thref\n=\n"x">', '<a "x">', '<br/>', '<td width=100%bgcolor=#fff>',
  '<img alt="a>b" src=x>', "<img alt='a\"b'>", '</a href="x">', '</ p>', '</>', '<>', '< p>', '<3', '<?xml x?>', '<!x>', '<![if !mso]>',
  '<![endif]>', '<!--[if mso]><a href=x>y</a><![endif]-->', '<!-- a -- b --!> c -->', '<!-->', '<!--->', '<!---->', '<!----!>',
  '<!--a--!-->', '<!--', '-->', '--!>', '<!-', '<!doctype html>', '<!DOCTYPE x "a>b">', '<style>a{}</style>', '<style>', '</style >',
  '</STYLE/x>', '</stylex>', '<script>', '</script>', '<script>a<!--', '<script><!--<script ', '</script\n>', '<title>a&amp;<b></title>',
  '<textarea>x&lt;</textarea>', '<noscript><p></noscript>', '<xmp><a></xmp>', '<iframe></iframe>', '<noembed>x', '</noembed>', '&amp;',
  '&amp', '&ampx', '&lt;a&gt;', '&#65;', '&#x41', '&#0;', '&#128;', '&#xD800;', '&#x110000;', '&#99999999999;', '&nbsp', '&notin;',
  '&notit;', '&not', '&foo;', '&', '&#', '&#x;', '&CounterClockwiseContourIntegral;', '&NotEqualTilde;', '&copy=', 'text ', '\n', '"',
  "'", '>', '/', '=', '<', '<a', '<a href', '<a href=', '<a href="', '</a', '<!', '<!-', 'é漢😀', '<İ>', '<a hreſ=x K=y>', '<o:p/>',
  '<v:rect style="a:b" />',
];

t.test('tokens are those of the standard, on generated markup', async t => {
  const next = random(1);
  for (let round = 0; round < 6000; round++) {
    const html = Array.from({ length: 1 + Math.floor(next() * 9) }, () => choice(next, PIECES)).join('');
    const expected = await theirs(html);
    const found = ours(html);
    if (JSON.stringify(found) !== JSON.stringify(expected)) {
      t.same(found, expected, JSON.stringify(html));
      return;
    }
  }
  t.pass('6000 documents');
});

t.test('a rare reference decodes in text and value as the standard has it', async t => {
  const html = '<i title="&notit; &not= &not; &copyx &copy; &Rarr;">&notit; &not= &not; &copyx &copy; &Rarr;';
  t.same(ours(html), await theirs(html));
});

t.test('CRLF line ends change nothing but themselves', async t => {
  const crlf = '<a\r\nhref="x"\r\n>\r\ny</a>';
  t.same(
    ours(crlf).map(token => JSON.stringify(token).replaceAll('\\r', '')),
    ours(crlf.replaceAll('\r', '')).map(token => JSON.stringify(token)),
  );
});

t.test('hostile markup is read in linear time', async t => {
  const size = 500_000;
  const hostile: Record<string, string> = {
    'unclosed tags': '<a '.repeat(size / 3),
    'unclosed comments': '<!--'.repeat(size / 4),
    'many comments without --!>': '<!-- -->'.repeat(size / 8),
    'one tag with 1e5 attributes': `<a ${Array.from({ length: 100_000 }, (_, i) => `a${i}=1`).join(' ')}>`,
    'unclosed quotes': `<a href="${'<a href='.repeat(size / 8)}`,
    'raw text that never ends': '<style></styl'.repeat(size / 13),
    'scripts in scripts': '<script><!--<script>'.repeat(size / 20),
    'rare references': Array.from({ length: size / 8 }, (_, i) => `&z${i};`).join(''),
  };
  for (const [name, html] of Object.entries(hostile)) {
    const from = performance.now();
    ours(html);
    // Quadratic reading takes minutes here; the limit only has to tell the two apart on a busy machine.
    t.ok(performance.now() - from < 8000, name);
  }
});
