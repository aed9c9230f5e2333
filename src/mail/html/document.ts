/** One reading of an HTML document: its links, each seen or hidden, and its visible text. */
import { PAGE, ruleName } from './hiding.ts';
import { type Anchor, PageElement, type Rules, Styling } from './page.ts';
import { References } from './references.ts';
import { FOREIGN_BREAKOUT, FOREIGN_UNSURE, LINE, METADATA, VOID } from './tags.ts';
import { Attributes, type TokenSink, tokenize } from './tokens.ts';
import { Tree } from './tree.ts';

export interface AnchorSeen {
  /** Decoded, otherwise as written. */
  readonly href: string;
  /** Its visible text, and the alternative text of its pictures. */
  readonly label: string;
  /** The rule that hides it; undefined: it is visible. */
  readonly hiddenBy: string | undefined;
}

export interface DocumentSeen {
  readonly anchors: readonly AnchorSeen[];
  /** The visible text, a line for each block, with LINK_MARK where a link begins. */
  readonly text: string;
  /** The visible text that is in no anchor. */
  readonly loose: string;
  /** Why the document cannot be judged, so that nothing of it counts. */
  readonly unreadable: string | undefined;
}

/** Reads a document as the rules say. Linear in its length; never throws. */
export function readDocument(html: string, rules: Rules): DocumentSeen {
  const page = new Page(html, rules);
  tokenize(html, page);
  return page.seen();
}

/** Stands in visible text where a link begins that can be followed. */
export const LINK_MARK = '\ufffc';

const TANGLED = 'markup too deep or too tangled to be judged';
const PICTURES: ReadonlySet<string> = new Set(['img', 'v:image', 'v:imagedata']);
/** Letters, digits or signs: a link of blanks or a lone comma is not one that a person sees. */
const INK = /[\p{L}\p{N}\p{S}]/u;
/** Letters and signs without ink. */
const BLANK = /[\u115f\u1160\u3164\uffa0\u2800]/g;

class Page implements TokenSink {
  readonly #html: string;
  readonly #hiding: Rules['hiding'];
  readonly #references: References;
  readonly #styling: Styling;
  readonly #tree: Tree<PageElement>;
  readonly #root: PageElement;
  readonly #body: PageElement;
  readonly #anchors: Anchor[] = [];
  readonly #text: string[] = [];
  readonly #loose: string[] = [];
  #standards = false;
  #begun = false;
  #inHead = false;
  #templates = 0;
  #inSelect = false;
  /** Open elements of SVG or MathML. */
  #foreign: string[] = [];
  #unreadable: string | undefined;

  constructor(html: string, rules: Rules) {
    this.#html = html;
    this.#hiding = rules.hiding;
    this.#references = new References(html);
    this.#styling = new Styling(html, rules);
    this.#root = new PageElement('html', Attributes.none, undefined, PAGE, this.#references);
    this.#styling.apply(this.#root);
    this.#body = new PageElement('body', Attributes.none, this.#root, this.#root.look, this.#references);
    this.#styling.apply(this.#body);
    this.#tree = new Tree(
      this.#body,
      (name, attributes, parent, from) => this.#make(name, attributes, parent, from),
      () => !this.#standards,
    );
  }

  get done(): boolean {
    if (this.#tree.tangled || this.#styling.exhausted) this.#unreadable ??= TANGLED;
    return this.#unreadable !== undefined;
  }

  seen(): DocumentSeen {
    if (this.done) return { anchors: [], text: '', loose: '', unreadable: this.#unreadable };
    // A body may get its style after its content: then it still hides everything.
    const whole = this.#body.look.hidden & this.#hiding.imageMask;
    const anchors = this.#anchors.map(({ href, label, visible, hidden }) => ({
      href,
      label: label.join('').replace(/\s+/g, ' ').trim(),
      hiddenBy: visible && whole === 0 ? undefined : (whole | hidden) === 0 ? 'being empty' : ruleName(this.#hiding, whole | hidden),
    }));
    return { anchors, text: whole === 0 ? this.#text.join('') : '', loose: whole === 0 ? this.#loose.join('') : '', unreadable: undefined };
  }

  doctype(raw: string): void {
    if (!this.#begun) this.#standards = isStandard(raw);
    this.#begun = true;
  }

  bogus(raw: string): void {
    // In SVG this is a CDATA section, and ends elsewhere.
    if (this.#foreign.length > 0 && raw.startsWith('[CDATA[')) this.#fail('a CDATA section');
  }

  rawText(name: string, content: string): void {
    // Whether a noscript's content is markup depends on the reader: both readings must leave the same elements open.
    if (name === 'noscript' && !isBalanced(content)) this.#fail('unclosed markup in noscript');
  }

  startTag(name: string, attributes: Attributes, selfClosing: boolean): void {
    this.#begun = true;
    if (name === 'template') this.#templates++;
    if (this.#templates > 0) return;
    if (name === 'html' || name === 'body') {
      if (name === 'body') this.#inHead = false;
      this.#page(name === 'html' ? this.#root : this.#body, attributes);
      return;
    }
    if (name === 'head') this.#inHead = /<(?:\/head|body)[\s/>]/i.test(this.#html);
    if (this.#inHead || this.#inSelect || name === 'head' || METADATA.has(name)) return;
    if (this.#foreign.length > 0 && !this.#leavesForeign(name, selfClosing)) return;
    if (name === 'frameset') this.#fail('a frameset');
    else if (name === 'select') this.#inSelect = true;
    else if (name === 'svg' || name === 'math') {
      if (!selfClosing) this.#foreign.push(name);
    } else this.#open(name === 'image' ? 'img' : name, attributes, selfClosing);
  }

  endTag(name: string): void {
    if (name === 'template') this.#templates = Math.max(0, this.#templates - 1);
    if (this.#templates > 0) return;
    if (name === 'head') this.#inHead = false;
    if (name === 'select') this.#inSelect = false;
    if (this.#inHead || this.#inSelect) return;
    if (this.#foreign.length > 0) {
      const at = this.#foreign.lastIndexOf(name);
      if (at >= 0) {
        this.#foreign.length = at;
        return;
      }
      const depth = this.#tree.depth;
      this.#tree.end(name);
      if (this.#tree.depth < depth || name === 'p' || name === 'br') this.#foreign = [];
      return;
    }
    if (LINE.has(name)) this.#newLine();
    this.#tree.end(name);
  }

  text(raw: string): void {
    if (this.#inHead || this.#inSelect || this.#templates > 0 || this.#foreign.length > 0) return;
    const decoded = this.#references.text(raw);
    if (/^[\t\n\f\r ]*$/.test(decoded)) {
      this.#write(' ', true);
      return;
    }
    this.#begun = true;
    const { look, anchor } = this.#tree.textParent();
    const hidden = look.hidden & this.#hiding.textMask;
    const inert = hidden | (look.hidden & this.#hiding.linkMask);
    if (hidden === 0) {
      if (anchor !== undefined && anchor.label.length === 0 && inert === 0) this.#write(LINK_MARK, false);
      this.#write(decoded, anchor === undefined);
      anchor?.label.push(decoded);
    }
    if (anchor !== undefined && INK.test(decoded.replace(BLANK, ''))) this.#see(anchor, inert);
  }

  #open(name: string, attributes: Attributes, selfClosing: boolean): void {
    if (LINE.has(name)) this.#newLine();
    const element = this.#tree.start(name, attributes);
    if (element === undefined) return;
    if (PICTURES.has(name)) this.#picture(element);
    // Office's elements are XML: there, and only there, a slash closes.
    if (selfClosing && name.includes(':') && !VOID.has(name)) this.#tree.end(name);
  }

  #make(name: string, attributes: Attributes, parent: PageElement, from: PageElement | undefined): PageElement {
    const element = new PageElement(name, attributes, parent, parent.look, this.#references);
    this.#styling.apply(element);
    if (name !== 'a') return element;
    const href = element.attribute('href');
    if (href === undefined) return element;
    if (from?.anchor !== undefined) element.anchor = from.anchor;
    else {
      element.anchor = { href, label: [], visible: false, hidden: 0 };
      this.#anchors.push(element.anchor);
    }
    return element;
  }

  #picture(element: PageElement): void {
    const { anchor, look } = element;
    if (anchor === undefined) return;
    const alt = (element.attribute('alt') ?? '').trim();
    if (alt === '' && (element.attribute('src') ?? '').trim() === '') return;
    if (!this.#styling.showsPicture(element)) return;
    const hidden = look.hidden & this.#hiding.imageMask;
    if (hidden === 0 && alt !== '') anchor.label.push(` ${alt} `);
    this.#see(anchor, hidden | (look.hidden & this.#hiding.linkMask));
  }

  #see(anchor: Anchor, hidden: number): void {
    if (hidden === 0) anchor.visible = true;
    else anchor.hidden |= hidden;
  }

  /** The first html and body tags begin the page; later ones can only add what hides. */
  #page(element: PageElement, attributes: Attributes): void {
    const before = element.look.hidden;
    element.attributes = attributes;
    this.#styling.apply(element);
    element.look = { ...element.look, hidden: element.look.hidden | before };
    if (element === this.#root) this.#styling.apply(this.#body);
  }

  /** Within SVG or MathML: whether this tag ends it. Its own elements are passed over. */
  #leavesForeign(name: string, selfClosing: boolean): boolean {
    if (FOREIGN_UNSURE.has(name)) this.#fail(`${name} within svg or math`);
    else if (FOREIGN_BREAKOUT.has(name)) this.#foreign = [];
    else if (!selfClosing) this.#foreign.push(name);
    return this.#foreign.length === 0;
  }

  #write(text: string, loose: boolean): void {
    this.#text.push(text);
    this.#loose.push(loose ? text : ' ');
  }

  #newLine(): void {
    this.#text.push('\n');
    this.#loose.push('\n');
  }

  #fail(reason: string): void {
    this.#unreadable ??= `markup that readers understand differently: ${reason}`;
  }
}

/** Doctypes under which a table closes a paragraph (HTML standard §13.2.6.4.1): HTML 5, XHTML 1, HTML 4.01 with a system identifier. */
function isStandard(doctype: string): boolean {
  if (!/^\s*html(?:\s|$)/i.test(doctype)) return false;
  if (!/\bpublic\b/i.test(doctype)) return true;
  return (
    /-\/\/w3c\/\/dtd (?:xhtml 1\.|html 4\.01 (?:strict )?\/\/)/i.test(doctype) ||
    /-\/\/w3c\/\/dtd html 4\.01[^"']*["']\s*["']/i.test(doctype)
  );
}

/** Whether each element that opens in this markup closes in it. */
function isBalanced(markup: string): boolean {
  const open: string[] = [];
  let balanced = markup.lastIndexOf('<') <= markup.lastIndexOf('>') && !/<!--(?![\s\S]*-->)/.test(markup);
  const ignore = (): void => {};
  tokenize(markup, {
    startTag: (name, _attributes, selfClosing) => {
      if (!VOID.has(name) && !(selfClosing && name.includes(':'))) open.push(name);
    },
    endTag: name => {
      balanced &&= open.pop() === name;
    },
    text: ignore,
    rawText: ignore,
    doctype: ignore,
    bogus: ignore,
    done: false,
  });
  return balanced && open.length === 0;
}
