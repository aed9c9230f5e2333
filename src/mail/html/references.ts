/** Character references (`&amp;`, `&#x2f;`, `&copy`) of one HTML document, decoded as the HTML standard says (§13.2.5.72–80). */
import { SAXParser } from 'parse5-sax-parser';

/** The names that mail is full of; every other is asked of the standard's own table. */
const COMMON: ReadonlyMap<string, string> = new Map(
  Object.entries({
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    apos: "'",
    nbsp: '\u00a0',
    shy: '\u00ad',
    zwnj: '\u200c',
    zwj: '\u200d',
    copy: '\u00a9',
    reg: '\u00ae',
    trade: '\u2122',
    middot: '\u00b7',
    bull: '\u2022',
    hellip: '\u2026',
    ndash: '\u2013',
    mdash: '\u2014',
    lsquo: '\u2018',
    rsquo: '\u2019',
    ldquo: '\u201c',
    rdquo: '\u201d',
    laquo: '\u00ab',
    raquo: '\u00bb',
    rarr: '\u2192',
    euro: '\u20ac',
    pound: '\u00a3',
    auml: '\u00e4',
    ouml: '\u00f6',
    uuml: '\u00fc',
    Auml: '\u00c4',
    Ouml: '\u00d6',
    Uuml: '\u00dc',
    szlig: '\u00df',
    eacute: '\u00e9',
    egrave: '\u00e8',
    agrave: '\u00e0',
    ccedil: '\u00e7',
  }),
);

/** Code points 0x80–0x9f are read as windows-1252 (§13.2.5.80). */
const WINDOWS_1252 =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178';

const REFERENCE = /&(?:#[xX]([0-9a-fA-F]+);?|#([0-9]+);?|([A-Za-z][A-Za-z0-9]*)(;?))/g;
const NAMED = /&[A-Za-z][A-Za-z0-9]*[;=]?/g;

/** Decodes text and attribute values of one document. */
export class References {
  readonly #html: string;
  #rare: Map<string, { text: string; value: string }> | undefined;

  constructor(html: string) {
    this.#html = html;
  }

  /** Character data decoded. */
  text(raw: string): string {
    return this.#decode(raw, 'text');
  }

  /** An attribute's value decoded: there, `&copy=` and `&copyx` stay as they are. */
  value(raw: string): string {
    return this.#decode(raw, 'value');
  }

  #decode(raw: string, place: 'text' | 'value'): string {
    if (!raw.includes('&')) return raw;
    return raw.replace(
      REFERENCE,
      (whole: string, hex: string | undefined, decimal: string | undefined, name: string | undefined, semicolon: string, at: number) => {
        if (hex !== undefined) return codePoint(Number.parseInt(hex, 16));
        if (decimal !== undefined) return codePoint(Number.parseInt(decimal, 10));
        const common = semicolon === ';' && name !== undefined ? COMMON.get(name) : undefined;
        if (common !== undefined) return common;
        const equals = semicolon === '' && raw.charAt(at + whole.length) === '=';
        const decoded = this.#rarely(equals ? `${whole}=` : whole)?.[place] ?? whole;
        return equals && decoded.endsWith('=') ? decoded.slice(0, -1) : decoded;
      },
    );
  }

  /** All the document's rare names are asked for at once: one table look-up by the parser that knows it, linear in the document. */
  #rarely(name: string): { text: string; value: string } | undefined {
    if (this.#rare === undefined) {
      const names = new Set(this.#html.match(NAMED) ?? []);
      const rare = new Map<string, { text: string; value: string }>();
      const keys = [...names].filter(key => !COMMON.has(key.slice(1, -1)) || !key.endsWith(';'));
      const parser = new SAXParser();
      let index = -1;
      parser.on('startTag', tag => {
        const key = keys[++index];
        if (key !== undefined) rare.set(key, { text: '', value: tag.attrs[0]?.value ?? key });
      });
      parser.on('text', ({ text }) => {
        const entry = rare.get(keys[index] ?? '');
        if (entry !== undefined) entry.text += text;
      });
      // The last tag makes the parser hand out the text before it.
      parser.write(`${keys.map(key => `<i a="${key}">${key}`).join('')}<i>`);
      this.#rare = rare;
    }
    return this.#rare.get(name);
  }
}

function codePoint(code: number): string {
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '\ufffd';
  if (code >= 0x80 && code <= 0x9f) return WINDOWS_1252.charAt(code - 0x80);
  return String.fromCodePoint(code);
}
