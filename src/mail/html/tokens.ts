/** The HTML tokeniser: start tags, end tags, text and raw text exactly as the HTML standard cuts them (§13.2.5), in linear time. */
import { RAW } from './tags.ts';

/** What the tokeniser finds. Nothing is decoded; comments are not reported, nobody sees them. */
export interface TokenSink {
  startTag(name: string, attributes: Attributes, selfClosing: boolean): void;
  endTag(name: string): void;
  /** Character data between two tags. */
  text(raw: string): void;
  /** The content of script, style, title and the like, which holds no tags. */
  rawText(name: string, content: string): void;
  doctype(raw: string): void;
  /** A bogus comment, such as `<![if !mso]>`, `<![CDATA[…` outside foreign content, `<?xml …>`. */
  bogus(raw: string): void;
  /** True: nothing further is wanted. */
  readonly done: boolean;
}

/** A tag's attributes as written. Where a name occurs twice the first counts. */
export class Attributes {
  static readonly none = new Attributes([], '');
  readonly #flat: readonly string[];
  /** The octets between tag name and `>`, for telling two tags apart. */
  readonly source: string;

  constructor(flat: readonly string[], source: string) {
    this.#flat = flat;
    this.source = source;
  }

  /** Number of attributes, repeated ones included. */
  get size(): number {
    return this.#flat.length / 2;
  }

  /** The undecoded value; the empty string where there is none; undefined without the attribute. `name` in lower case. */
  get(name: string): string | undefined {
    for (let i = 0; i < this.#flat.length; i += 2) if (this.#flat[i] === name) return this.#flat[i + 1];
    return undefined;
  }

  *[Symbol.iterator](): Generator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.#flat.length; i += 2) yield [this.#flat[i] ?? '', this.#flat[i + 1] ?? ''];
  }
}

const TAB = 9;
const LF = 10;
const FF = 12;
const CR = 13;
const SPACE = 32;
const BANG = 33;
const QUOTE = 34;
const APOSTROPHE = 39;
const SLASH = 47;
const LESS = 60;
const EQUALS = 61;
const GREATER = 62;
const QUESTION = 63;

const isSpace = (c: number): boolean => c === SPACE || c === LF || c === TAB || c === CR || c === FF;
const isLetter = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90);

/** Reports the tokens of `html` to `sink`, in order. Line ends may be LF or CRLF. */
export function tokenize(html: string, sink: TokenSink): void {
  new Tokenizer(html, sink).run();
}

class Tokenizer {
  readonly #html: string;
  readonly #sink: TokenSink;
  /** Where reading goes on. */
  #at = 0;
  /** Where text that was not reported yet begins. */
  #pending = 0;

  constructor(html: string, sink: TokenSink) {
    this.#html = html;
    this.#sink = sink;
  }

  run(): void {
    const html = this.#html;
    while (!this.#sink.done) {
      const open = html.indexOf('<', this.#at);
      if (open < 0) {
        this.#flush(html.length);
        return;
      }
      const next = html.charCodeAt(open + 1);
      if (isLetter(next)) {
        this.#flush(open);
        this.#startTag(open + 1);
      } else if (next === SLASH) {
        const after = html.charCodeAt(open + 2);
        if (Number.isNaN(after)) {
          this.#flush(html.length);
          return;
        }
        this.#flush(open);
        if (isLetter(after)) this.#endTag(open + 2);
        else if (after === GREATER) this.#resume(open + 3);
        else this.#bogus(open + 2);
      } else if (next === BANG) {
        this.#flush(open);
        this.#declaration(open + 2);
      } else if (next === QUESTION) {
        this.#flush(open);
        this.#bogus(open + 1);
      } else {
        this.#at = open + 1;
      }
    }
  }

  #flush(to: number): void {
    if (to > this.#pending) this.#sink.text(this.#html.slice(this.#pending, to));
    this.#pending = to;
  }

  #resume(at: number): void {
    this.#at = at;
    this.#pending = at;
  }

  #declaration(at: number): void {
    const html = this.#html;
    if (html.startsWith('--', at)) {
      const text = at + 2;
      // `<!-->` and `<!--->` are whole comments (§13.2.5.43, .44).
      if (html.charCodeAt(text) === GREATER) {
        this.#resume(text + 1);
        return;
      }
      if (html.startsWith('->', text)) {
        this.#resume(text + 2);
        return;
      }
      const close = /--!?>/g;
      close.lastIndex = text;
      this.#resume(close.test(html) ? close.lastIndex : html.length);
    } else if (/^doctype$/i.test(html.slice(at, at + 7))) {
      const end = this.#upTo(at + 7);
      this.#sink.doctype(html.slice(at + 7, end));
    } else {
      this.#bogus(at);
    }
  }

  #bogus(at: number): void {
    const end = this.#upTo(at);
    this.#sink.bogus(this.#html.slice(at, end));
  }

  /** Goes on behind the next `>`; its index, or the end. */
  #upTo(at: number): number {
    const found = this.#html.indexOf('>', at);
    const end = found < 0 ? this.#html.length : found;
    this.#resume(Math.min(end + 1, this.#html.length));
    return end;
  }

  #startTag(at: number): void {
    const name = this.#name(at);
    const from = this.#at;
    const flat: string[] = [];
    const close = this.#attributes(from, flat);
    if (close === undefined) return;
    const source = this.#html.slice(from, close.end - 1);
    this.#sink.startTag(name, flat.length === 0 ? Attributes.none : new Attributes(flat, source), close.selfClosing);
    if (RAW.has(name)) this.#raw(name);
  }

  #endTag(at: number): void {
    const name = this.#name(at);
    // An end tag's attributes are read over, they mean nothing.
    if (this.#attributes(this.#at, undefined) !== undefined) this.#sink.endTag(name);
  }

  #name(at: number): string {
    const html = this.#html;
    let end = at + 1;
    for (; end < html.length; end++) {
      const c = html.charCodeAt(end);
      if (isSpace(c) || c === SLASH || c === GREATER) break;
    }
    this.#at = end;
    return lower(html.slice(at, end));
  }

  /** Reads to behind the tag's `>`. Undefined where the text ends first: such a tag is dropped. */
  #attributes(from: number, into: string[] | undefined): { readonly end: number; readonly selfClosing: boolean } | undefined {
    const html = this.#html;
    let at = from;
    for (;;) {
      let c = html.charCodeAt(at);
      while (isSpace(c)) c = html.charCodeAt(++at);
      if (Number.isNaN(c)) break;
      if (c === GREATER) {
        this.#resume(at + 1);
        return { end: at + 1, selfClosing: false };
      }
      if (c === SLASH) {
        at++;
        if (html.charCodeAt(at) !== GREATER) continue;
        this.#resume(at + 1);
        return { end: at + 1, selfClosing: true };
      }
      const nameAt = at;
      // A `=` in first place belongs to the name.
      do c = html.charCodeAt(++at);
      while (!(isSpace(c) || c === SLASH || c === GREATER || c === EQUALS || Number.isNaN(c)));
      const name = lower(html.slice(nameAt, at));
      while (isSpace(c)) c = html.charCodeAt(++at);
      let value = '';
      if (c === EQUALS) {
        do c = html.charCodeAt(++at);
        while (isSpace(c));
        if (c === QUOTE || c === APOSTROPHE) {
          const end = html.indexOf(c === QUOTE ? '"' : "'", at + 1);
          if (end < 0) break;
          value = html.slice(at + 1, end);
          at = end + 1;
        } else {
          const valueAt = at;
          while (!(isSpace(c) || c === GREATER || Number.isNaN(c))) c = html.charCodeAt(++at);
          value = html.slice(valueAt, at);
        }
      }
      into?.push(name, value);
    }
    this.#resume(html.length);
    return undefined;
  }

  #raw(name: string): void {
    const html = this.#html;
    const end = name === 'plaintext' ? html.length : name === 'script' ? scriptEnd(html, this.#at) : rawEnd(name, html, this.#at);
    if (end > this.#at) this.#sink.rawText(name, html.slice(this.#at, end));
    this.#resume(end);
  }
}

/** ASCII letters to lower case; others (the Kelvin sign) are left alone, as the standard has it. */
function lower(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, letters => letters.toLowerCase()) : text;
}

const RAW_ENDS = new Map([...RAW].map(name => [name, `</${name}(?=[\\t\\n\\f\\r />])`]));

function rawEnd(name: string, html: string, from: number): number {
  const pattern = new RegExp(RAW_ENDS.get(name) ?? name, 'gi');
  pattern.lastIndex = from;
  return pattern.exec(html)?.index ?? html.length;
}

/** A script's end: within `<!--`, a nested `<script` hides one `</script` (§13.2.5.20–31). */
function scriptEnd(html: string, from: number): number {
  const pattern = /<!--|-->|<(\/?)script(?=[\t\n\f\r />])/gi;
  pattern.lastIndex = from;
  let state: 'plain' | 'escaped' | 'nested' = 'plain';
  for (let found = pattern.exec(html); found !== null; found = pattern.exec(html)) {
    if (html.charCodeAt(found.index) !== LESS) {
      state = 'plain';
    } else if (found[1] === undefined) {
      if (state === 'plain') state = 'escaped';
      // The two dashes may already be those of `-->`.
      pattern.lastIndex = found.index + 2;
    } else if (found[1] === '/') {
      if (state !== 'nested') return found.index;
      state = 'escaped';
    } else if (state === 'escaped') {
      state = 'nested';
    }
  }
  return html.length;
}
