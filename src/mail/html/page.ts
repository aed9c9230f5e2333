/** Elements of a page as a person would see them: style sheets, style attributes and old presentational attributes made into a look. */
import type { LRUCache } from 'lru-cache';
import { type Colour, LINK_BLUE, type Paint, parseLegacyColour } from './colour.ts';
import { type Declarations, parseDeclarations, pixels } from './declarations.ts';
import { type Effect, effectOf, type Hiding, type Look, lookOf } from './hiding.ts';
import type { References } from './references.ts';
import { type Budget, MATCHING_BUDGET, mediaForAll, type Selectable, Sheet } from './sheet.ts';
import { type Attributes, type TokenSink, tokenize } from './tokens.ts';

/** An anchor, however many elements it was cut into. */
export interface Anchor {
  readonly href: string;
  readonly label: string[];
  /** Something of it is seen and can be followed. */
  visible: boolean;
  /** The rules that hid what was not. */
  hidden: number;
}

/** A style attribute made ready. */
export interface Styled {
  readonly declarations: Declarations;
  readonly effect: Effect;
}

/** What outlives one document. */
export interface Rules {
  readonly hiding: Hiding;
  /** By the style attribute's text. */
  readonly styles: LRUCache<string, Styled>;
  /** By the text of all style elements. */
  readonly sheets: LRUCache<string, Sheet>;
}

/** An element of a page. */
export class PageElement implements Selectable {
  readonly name: string;
  readonly parent: PageElement | undefined;
  readonly #references: References;
  attributes: Attributes;
  look: Look;
  /** The look of that one child which an element's hiding spares (a closed details' summary). */
  spared: { readonly name: string; readonly look: Look } | undefined;
  anchor: Anchor | undefined;
  #classes: readonly string[] | undefined;

  constructor(name: string, attributes: Attributes, parent: PageElement | undefined, look: Look, references: References) {
    this.name = name;
    this.attributes = attributes;
    this.parent = parent;
    this.look = look;
    this.#references = references;
    this.anchor = parent?.anchor;
  }

  get id(): string | undefined {
    return this.attribute('id');
  }

  get classes(): readonly string[] {
    this.#classes ??= [...new Set((this.attribute('class') ?? '').split(/[\t\n\f\r ]+/).filter(name => name !== ''))];
    return this.#classes;
  }

  attribute(name: string): string | undefined {
    const raw = this.attributes.get(name);
    return raw === undefined ? undefined : this.#references.value(raw);
  }
}

const NO_EFFECT: Effect = { hidden: 0, renewed: 0, fontSize: undefined, colour: undefined, background: undefined };

/** Gives elements their looks. */
export class Styling {
  readonly #sheet: Sheet;
  readonly #budget: Budget = { left: MATCHING_BUDGET };
  readonly #hiding: Hiding;
  readonly #styles: Rules['styles'];
  /** What unpainted links are painted in; a body's `link` attribute changes it. */
  #linkColour: Colour | 'unknown';

  constructor(html: string, { hiding, styles, sheets }: Rules) {
    this.#hiding = hiding;
    this.#styles = styles;
    this.#sheet = sheetOf(collectCss(html), hiding, sheets);
    this.#linkColour = this.#sheet.unsure ? 'unknown' : LINK_BLUE;
  }

  /** Matching style sheets costs more than it may. */
  get exhausted(): boolean {
    return this.#budget.left <= 0;
  }

  /** Works out `element.look` from its parent's. */
  apply(element: PageElement): void {
    const { parent, name, attributes } = element;
    const hiding = this.#hiding;
    const around = parent?.spared?.name === name ? parent.spared.look : (parent?.look ?? element.look);
    const rule = hiding.elements.get(name);
    if (attributes.size === 0 && rule === undefined && this.#sheet.empty) {
      element.look = around;
      return;
    }
    const effect = this.#painted(element, this.#effect(element));
    element.look = effect === NO_EFFECT ? around : lookOf(hiding, around, effect);
    for (const { bit, name: attribute } of hiding.attributes) {
      if (attributes.get(attribute) !== undefined) element.look = { ...element.look, hidden: element.look.hidden | bit };
    }
    if (rule !== undefined && (rule.without === undefined || attributes.get(rule.without) === undefined)) {
      if (rule.but !== undefined) element.spared = { name: rule.but, look: element.look };
      element.look = { ...element.look, hidden: element.look.hidden | rule.bit };
    }
  }

  /** Whether a picture has a size that can be seen: tracking pixels and spacers are 1 or 2 pixels in one direction. */
  showsPicture(element: PageElement): boolean {
    const declared = this.#declared(element);
    return ['width', 'height'].every(side => {
      const size = pixels(declared?.get(side)?.value ?? (element.attribute(side) ?? '').trim().toLowerCase());
      return size === undefined || size > 2;
    });
  }

  #declared(element: PageElement): Declarations | undefined {
    const own = this.#own(element)?.declarations;
    return this.#sheet.empty ? own : this.#sheet.cascade(element, own, this.#budget);
  }

  #effect(element: PageElement): Effect {
    const own = this.#own(element);
    if (this.#sheet.empty) return own?.effect ?? NO_EFFECT;
    const declared = this.#sheet.cascade(element, own?.declarations, this.#budget);
    if (declared === own?.declarations) return own?.effect ?? NO_EFFECT;
    return declared === undefined ? NO_EFFECT : effectOf(this.#hiding, declared);
  }

  #own(element: PageElement): Styled | undefined {
    const style = element.attribute('style');
    if (style === undefined) return undefined;
    let styled = this.#styles.get(style);
    if (styled === undefined) {
      const declarations = parseDeclarations(style);
      styled = { declarations, effect: effectOf(this.#hiding, declarations) };
      this.#styles.set(style, styled);
    }
    return styled;
  }

  /** The effect with what old attributes say where styles say nothing (HTML standard §15.3). */
  #painted(element: PageElement, effect: Effect): Effect {
    const { name } = element;
    let { colour, background, fontSize } = effect;
    const ground = element.attribute('bgcolor');
    if (background === undefined && ground !== undefined) background = parseLegacyColour(ground);
    // A picture, or a shape that Outlook fills: nobody knows what lies under the text.
    if (name.startsWith('v:') || (element.attribute('background') ?? '') !== '') background = 'unknown';
    if (name === 'font') {
      colour ??= legacy(element.attribute('color'));
      if (element.attribute('size') !== undefined) fontSize ??= 'small';
    } else if (name === 'body') {
      colour ??= legacy(element.attribute('text'));
      const link = legacy(element.attribute('link'));
      if (link !== undefined) this.#linkColour = typeof link === 'string' ? 'unknown' : link;
    } else if (name === 'a' && element.attributes.get('href') !== undefined) {
      colour ??= this.#linkColour;
    } else if (name === 'html' && this.#sheet.unsure) {
      background ??= 'unknown';
    }
    const unchanged = colour === effect.colour && background === effect.background && fontSize === effect.fontSize;
    return unchanged ? effect : { ...effect, colour, background, fontSize };
  }
}

function legacy(value: string | undefined): Paint | undefined {
  return value === undefined ? undefined : parseLegacyColour(value);
}

function sheetOf(css: readonly string[], hiding: Hiding, sheets: Rules['sheets']): Sheet {
  // No style element's text holds its own end tag, so the joined text stands for these texts and no others.
  const key = css.join('</style>');
  let sheet = sheets.get(key);
  if (sheet === undefined) {
    sheet = new Sheet(property => hiding.matters(property));
    for (const text of css) sheet.add(text);
    sheets.set(key, sheet);
  }
  return sheet;
}

/** The content of all style elements that hold for every screen. Those within noscript too: mail readers run no scripts. */
function collectCss(html: string): readonly string[] {
  const css: string[] = [];
  let last = -1;
  for (const found of html.matchAll(/<style[\s/>]/gi)) last = found.index;
  if (last < 0) return css;
  const close = /<\/style[\s/>]/gi;
  close.lastIndex = last;
  tokenize(html.slice(0, close.test(html) ? close.lastIndex : html.length), new StyleSink(css));
  return css;
}

class StyleSink implements TokenSink {
  readonly done = false;
  readonly #css: string[];
  #counts = false;

  constructor(css: string[]) {
    this.#css = css;
  }

  startTag(name: string, attributes: Attributes): void {
    if (name !== 'style') return;
    const type = attributes.get('type')?.trim().toLowerCase() ?? '';
    this.#counts = (type === '' || type === 'text/css') && mediaForAll(attributes.get('media') ?? '');
  }

  rawText(name: string, content: string): void {
    if (name === 'noscript') tokenize(content, new StyleSink(this.#css));
    else if (name === 'style' && this.#counts) this.#css.push(content);
  }

  endTag(): void {}
  text(): void {}
  doctype(): void {}
  bogus(): void {}
}
