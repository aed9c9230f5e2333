/** An HTML reply as text in which what others wrote is lines that begin with `>`, so that one reading serves HTML and text alike. */
import { References } from '../mail/html/references.ts';
import { LINE, METADATA, VOID } from '../mail/html/tags.ts';
import { type Attributes, type TokenSink, tokenize } from '../mail/html/tokens.ts';
import type { Condition, ElementRule, Meaning } from './quote-markers.ts';

/**
 * The text of HTML, a line for each block, blank lines between paragraphs. Of each run of quoted content one line `>` is left. Linear, whatever the
 * nesting: quotes nest beyond the depth to which the tree of mail/html judges, so only the blocks that may hold a quote are followed here.
 */
export function quotedText(html: string, rules: readonly ElementRule[]): string {
  const page = new ReplyPage(html, rules);
  tokenize(html, page);
  return page.shown();
}

/** Elements that are followed: end tags of others neither end a quote nor begin one. */
const FOLLOWED: ReadonlySet<string> = new Set('div blockquote section article main center table tr td th pre'.split(' '));
/** What is open outside of these is not closed from within (HTML standard §13.2.4.2). */
const BARRIERS: ReadonlySet<string> = new Set(['table', 'td', 'th']);
const CELLS: ReadonlySet<string> = new Set(['td', 'th']);
/** Paragraphs that stand without a blank line between them. */
const TIGHT = /mso|margin(?:-top|-bottom)?:0(?:[a-z.%;]|$)/i;
/** Pictures of emoji. */
const EMOJI = /^[^\x00-\x7f]{1,8}$/;

interface Open {
  readonly name: string;
  /** What its content is. */
  state: 'own' | 'quote' | 'intro' | 'skip';
  /** Names open since the last barrier, this one included. */
  readonly scope: Map<string, number>;
}

class ReplyPage implements TokenSink {
  readonly #rules: readonly ElementRule[];
  readonly #references: References;
  readonly #open: Open[] = [{ name: '', state: 'own', scope: new Map() }];
  readonly #names = new Map<string, number>();
  readonly #out: string[] = [];
  /** At the beginning of a line; and in a run of quoted content. */
  #fresh = true;
  #quoting = false;
  done = false;

  constructor(html: string, rules: readonly ElementRule[]) {
    this.#references = new References(html);
    this.#rules = rules;
  }

  shown(): string {
    return this.#out.join('');
  }

  text(raw: string): void {
    this.#write(this.#references.text(raw));
  }

  startTag(name: string, attributes: Attributes, selfClosing: boolean): void {
    if (METADATA.has(name)) return;
    const means = attributes.size === 0 && name !== 'blockquote' ? undefined : this.#meaning(name, attributes);
    if (means === 'rest') {
      this.#quoted();
      this.done = true;
      return;
    }
    if (name === 'br') this.#line();
    else if (name === 'img') this.#picture(attributes);
    else if (CELLS.has(name)) this.#write(' ');
    else if (LINE.has(name)) this.#block(name === 'p' && !TIGHT.test(`${attributes.get('class')} ${styleOf(attributes)}`));
    if (VOID.has(name) || (selfClosing && name.includes(':'))) return;
    if (FOLLOWED.has(name)) this.#push(name, means);
  }

  endTag(name: string): void {
    if (name === 'br') this.#line();
    else if (!CELLS.has(name) && LINE.has(name)) this.#block(false);
    if (FOLLOWED.has(name)) this.#pop(name);
  }

  rawText(): void {}
  doctype(): void {}
  bogus(): void {}

  get #current(): Open {
    return this.#open[this.#open.length - 1] as Open;
  }

  #meaning(name: string, attributes: Attributes): Meaning | undefined {
    return this.#rules.find(rule => (rule.tag === undefined || rule.tag === name) && rule.conditions.every(one => holds(one, attributes)))
      ?.means;
  }

  #push(name: string, means: Meaning | undefined): void {
    const parent = this.#current;
    const outer = parent.state;
    let state = outer === 'own' && means !== undefined && means !== 'rest' ? means : outer === 'intro' ? 'quote' : outer;
    // What the person writes below the quote stands in the same container (Gmail, Proton Mail).
    if (outer === 'intro' && means === 'quote' && name === 'blockquote') parent.state = 'own';
    else if (outer === 'intro' && means === 'own') state = 'quote';
    const scope = BARRIERS.has(name) ? new Map<string, number>() : parent.scope;
    count(scope, name, 1);
    count(this.#names, name, 1);
    this.#open.push({ name, state, scope });
  }

  #pop(name: string): void {
    const reachable = BARRIERS.has(name) || name === 'tr' ? this.#names : this.#current.scope;
    if ((reachable.get(name) ?? 0) === 0) return;
    for (let last = this.#open.pop(); last !== undefined; last = this.#open.pop()) {
      count(last.scope, last.name, -1);
      count(this.#names, last.name, -1);
      if (last.name === name) return;
    }
  }

  #write(decoded: string): void {
    const { state } = this.#current;
    if (state === 'skip') return;
    if (state !== 'own') {
      if (/\S/.test(decoded)) this.#quoted();
      return;
    }
    const text = (this.#names.get('pre') ?? 0) > 0 ? decoded : decoded.replace(/[\t\n\f\r ]+/g, ' ');
    if (text === '' || (text === ' ' && this.#fresh)) return;
    this.#quoting = false;
    this.#out.push(this.#fresh ? text.replace(/^ /, '') : text);
    this.#fresh = text.endsWith('\n');
  }

  /** Stands for quoted content. */
  #quoted(): void {
    if (this.#quoting) return;
    this.#line(!this.#fresh);
    this.#out.push('>\n');
    this.#fresh = true;
    this.#quoting = true;
  }

  #line(wanted = true): void {
    if (!wanted || this.#current.state === 'skip' || this.#quoting) return;
    this.#out.push('\n');
    this.#fresh = true;
  }

  #block(spaced: boolean): void {
    this.#line(!this.#fresh);
    if (spaced && this.#out.length > 0 && this.#out.at(-1) === '\n' && this.#out.at(-2) !== '\n') this.#line();
  }

  #picture(attributes: Attributes): void {
    const alt = attributes.get('alt');
    if (alt !== undefined && EMOJI.test(alt)) this.#write(alt);
  }
}

function count(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

/** Outlook and Gmail put these before ids and classes of what they take over. */
const TAKEN_OVER = /^(?:x_|m_-?\d+)+/;

function holds({ attribute, value, by }: Condition, attributes: Attributes): boolean {
  const given = attribute === 'style' ? styleOf(attributes) : attributes.get(attribute);
  if (given === undefined || given === '') return false;
  if (by === 'part') return given.slice(0, 2000).includes(value);
  if (by === 'word') return given.split(/\s+/, 20).some(word => word.replace(TAKEN_OVER, '') === value);
  return given.replace(TAKEN_OVER, '').toLowerCase() === value.toLowerCase();
}

/** Without blanks, in lower case. */
function styleOf(attributes: Attributes): string {
  return (attributes.get('style') ?? '').slice(0, 2000).replace(/\s+/g, '').toLowerCase();
}
