/** Which elements are open: the tree construction of the HTML standard (§13.2.6) as far as it says what stands inside what. */
import { Formatting, type OpenElement } from './formatting.ts';
import {
  BLOCK,
  BUTTON_SCOPE,
  FORMATTING,
  HEADING,
  IMPLIED_END,
  LIST_SCOPE,
  MARKER,
  SCOPE,
  SPECIAL,
  TABLE_FRAME,
  TABLE_PART,
  TABLE_PLACE,
  TABLE_SCOPE,
  VOID,
  WITHOUT_END,
} from './tags.ts';
import { Attributes } from './tokens.ts';

/** Makes an element's record. `from`: the element that this one carries on (unclosed formatting is opened again in each new block). */
export type MakeElement<E extends OpenElement> = (name: string, attributes: Attributes, parent: E, from: E | undefined) => E;

/** Blink stops at 512 as well. Beyond either limit nothing is judged any more. */
const MAX_DEPTH = 512;
const MAX_FORMATTING = 200;
/** §13.2.6.4.7, adoption agency: its outer loop. */
const MAX_ADOPTIONS = 8;

/** The open elements of one document, without SVG, MathML, template and select, whose content nobody judges. */
export class Tree<E extends OpenElement> {
  readonly #make: MakeElement<E>;
  readonly #quirks: () => boolean;
  #open: E[];
  readonly #formatting = new Formatting<E>();
  #form: E | undefined;
  /** Too deep or too entangled to be judged. */
  tangled = false;

  /** `quirks`: whether the document asks for the old rule that a table may stand in a paragraph. */
  constructor(root: E, make: MakeElement<E>, quirks: () => boolean) {
    this.#open = [root];
    this.#make = make;
    this.#quirks = quirks;
  }

  /** Number of open elements. */
  get depth(): number {
    return this.#open.length;
  }

  /** The element that text is shown in at this place. */
  textParent(): E {
    this.#reconstruct();
    return this.#place();
  }

  /** Opens an element (or passes a void one) and returns it; undefined where the tag means nothing here. */
  start(name: string, attributes: Attributes): E | undefined {
    if (TABLE_PART.has(name)) return this.#startTablePart(name, attributes);
    if (name === 'table') return this.#startTable(attributes);
    if (BLOCK.has(name) || HEADING.has(name)) {
      this.#closeParagraph();
      if (HEADING.has(name) && HEADING.has(this.#current.name)) this.#pop();
      return this.#push(name, attributes);
    }
    switch (name) {
      case 'form': {
        if (this.#form !== undefined) return undefined;
        // Between the parts of a table a form is closed as soon as it is opened (§13.2.6.4.9).
        const framed = TABLE_FRAME.has(this.#current.name);
        if (!framed) this.#closeParagraph();
        this.#form = framed ? this.#child(name, attributes) : this.#push(name, attributes);
        return this.#form;
      }
      case 'li':
        return this.#startItem(name, attributes, ['li']);
      case 'dd':
      case 'dt':
        return this.#startItem(name, attributes, ['dd', 'dt']);
      case 'hr':
        this.#closeParagraph();
        return this.#child(name, attributes);
      case 'button':
        this.#endInScope('button', SCOPE);
        this.#reconstruct();
        return this.#push(name, attributes);
      case 'optgroup':
      case 'option':
        if (this.#current.name === 'option') this.#pop();
        break;
      case 'rb':
      case 'rtc':
      case 'rp':
      case 'rt':
        if (this.#inScope('ruby', SCOPE)) this.#impliedEnds(name === 'rp' || name === 'rt' ? 'rtc' : undefined);
        return this.#push(name, attributes);
    }
    return this.#startInline(name, attributes);
  }

  end(name: string): void {
    const barriers = endScope(name);
    if (barriers !== undefined) this.#endInScope(name, barriers);
    else if (HEADING.has(name)) this.#endHeading();
    else if (name === 'form') this.#endForm();
    else if (FORMATTING.has(name)) this.#adopt(name);
    else if (!WITHOUT_END.has(name)) this.#endAny(name);
  }

  get #current(): E {
    return this.#open[this.#open.length - 1] as E;
  }

  /** What new content goes into: the current element, or what holds the table where a table's frame is current (foster parenting). */
  #place(): E {
    const current = this.#current;
    if (!TABLE_FRAME.has(current.name)) return current;
    const table = this.#open.findLastIndex(({ name }) => name === 'table');
    return this.#open[table - 1] ?? current;
  }

  #child(name: string, attributes: Attributes, from?: E): E {
    return this.#make(name, attributes, this.#place(), from);
  }

  #push(name: string, attributes: Attributes, from?: E): E {
    return this.#put(this.#child(name, attributes, from));
  }

  #put(element: E): E {
    if (this.#open.push(element) > MAX_DEPTH) this.tangled = true;
    return element;
  }

  #pop(): void {
    const popped = this.#open.pop();
    if (popped !== undefined && MARKER.has(popped.name)) this.#formatting.clear();
  }

  /** Pops up to and including the nearest element of that name. */
  #popTo(name: string): void {
    while (this.#open.length > 1 && this.#current.name !== name) this.#pop();
    if (this.#open.length > 1) this.#pop();
  }

  #popAbove(index: number): void {
    while (this.#open.length > index + 1) this.#pop();
  }

  #inScope(name: string, barriers: ReadonlySet<string>): boolean {
    const at = this.#open.findLastIndex(open => open.name === name || barriers.has(open.name));
    return at > 0 && this.#open[at]?.name === name;
  }

  #endInScope(name: string, barriers: ReadonlySet<string>): void {
    if (this.#inScope(name, barriers)) this.#popTo(name);
  }

  #impliedEnds(except?: string): void {
    while (IMPLIED_END.has(this.#current.name) && this.#current.name !== except) this.#pop();
  }

  #closeParagraph(): void {
    this.#endInScope('p', BUTTON_SCOPE);
  }

  #startInline(name: string, attributes: Attributes): E {
    if (name === 'a' && this.#formatting.nearest('a') !== undefined) this.#adopt('a');
    this.#reconstruct();
    if (name === 'nobr' && this.#inScope('nobr', SCOPE)) {
      this.#adopt('nobr');
      this.#reconstruct();
    }
    if (VOID.has(name)) return this.#child(name, attributes);
    const element = this.#push(name, attributes);
    if (FORMATTING.has(name)) {
      this.#formatting.add(element);
      if (this.#formatting.size > MAX_FORMATTING) this.tangled = true;
    } else if (MARKER.has(name)) this.#formatting.mark();
    return element;
  }

  #startItem(name: string, attributes: Attributes, closes: readonly string[]): E {
    for (let i = this.#open.length - 1; i > 0; i--) {
      const open = (this.#open[i] as E).name;
      if (closes.includes(open)) {
        this.#popAbove(i - 1);
        break;
      }
      if (SPECIAL.has(open) && open !== 'address' && open !== 'div' && open !== 'p') break;
    }
    this.#closeParagraph();
    return this.#push(name, attributes);
  }

  #startTable(attributes: Attributes): E {
    for (let place = this.#tablePlace(); place !== undefined && TABLE_FRAME.has(place); place = this.#tablePlace()) this.#popTo('table');
    if (!this.#quirks()) this.#closeParagraph();
    return this.#push('table', attributes);
  }

  /** Name of the nearest element that says where in a table one is. */
  #tablePlace(): string | undefined {
    return this.#open.findLast(({ name }) => TABLE_PLACE.has(name))?.name;
  }

  /** §13.2.6.4.9–15: a part closes what cannot hold it and opens what must. Outside a table it means nothing. */
  #startTablePart(name: string, attributes: Attributes): E | undefined {
    for (;;) {
      const at = this.#open.findLastIndex(open => TABLE_PLACE.has(open.name));
      const place = this.#open[at]?.name;
      const cell = name === 'td' || name === 'th';
      if (place === undefined) return undefined;
      if (place === 'td' || place === 'th' || place === 'caption') {
        this.#popAbove(at - 1);
        continue;
      }
      this.#popAbove(at);
      if (place === 'tr') {
        if (cell) return this.#putPart(name, attributes);
        this.#pop();
      } else if (place === 'table') {
        if (name === 'col' || name === 'colgroup') return undefined;
        if (!cell && name !== 'tr') return this.#putPart(name, attributes);
        this.#putPart('tbody', undefined);
      } else {
        if (name === 'tr') return this.#putPart(name, attributes);
        if (cell) this.#putPart('tr', undefined);
        else this.#pop();
      }
    }
  }

  #putPart(name: string, attributes: Attributes | undefined): E {
    const parent = this.#current;
    const element = this.#put(this.#make(name, attributes ?? Attributes.none, parent, undefined));
    if (MARKER.has(name)) this.#formatting.mark();
    return element;
  }

  #endHeading(): void {
    for (let i = this.#open.length - 1; i > 0; i--) {
      const open = (this.#open[i] as E).name;
      if (HEADING.has(open)) {
        this.#popAbove(i - 1);
        return;
      }
      if (SCOPE.has(open)) return;
    }
  }

  #endForm(): void {
    const form = this.#form;
    this.#form = undefined;
    if (form === undefined) return;
    const at = this.#open.lastIndexOf(form);
    if (at < 0 || this.#open.findLastIndex(({ name }) => SCOPE.has(name)) > at) return;
    this.#impliedEnds();
    const still = this.#open.lastIndexOf(form);
    // What is open inside the form stays open, and inside it.
    if (still > 0) this.#open.splice(still, 1);
  }

  #endAny(name: string): void {
    for (let i = this.#open.length - 1; i > 0; i--) {
      const open = (this.#open[i] as E).name;
      if (open === name) {
        this.#popAbove(i - 1);
        return;
      }
      if (SPECIAL.has(open)) return;
    }
  }

  /** Opens again the formatting that a block's end closed before its own end tag came. */
  #reconstruct(): void {
    for (const element of this.#formatting.closed(this.#open))
      this.#formatting.replace(element, this.#push(element.name, element.attributes, element));
  }

  /** The adoption agency: a formatting element ends, the blocks opened inside it stay open without it. */
  #adopt(name: string): void {
    const element = this.#formatting.nearest(name);
    if (element === undefined) {
      this.#endAny(name);
      return;
    }
    const at = this.#open.lastIndexOf(element);
    if (at < 0) {
      this.#formatting.forget(element);
      return;
    }
    if (this.#open.findLastIndex(open => SCOPE.has(open.name)) > at) return;
    const inside = this.#open.slice(at + 1);
    const blocks = inside.filter(open => SPECIAL.has(open.name));
    if (blocks.length === 0) {
      this.#popAbove(at - 1);
      this.#formatting.forget(element);
      return;
    }
    const last = inside.indexOf(blocks[Math.min(blocks.length, MAX_ADOPTIONS) - 1] as E);
    const kept = inside.slice(0, last + 1).filter(open => SPECIAL.has(open.name) || this.#formatting.has(open));
    // After so many blocks the standard gives up, and the element goes on inside the last of them.
    const beyond = blocks.length >= MAX_ADOPTIONS ? [element, ...inside.slice(last + 1)] : [];
    this.#reopen(at, [...kept, ...beyond]);
    if (beyond.length === 0) this.#formatting.forget(element);
  }

  /** Replaces what is open from `at` on by `elements`, each inside the one before. */
  #reopen(at: number, elements: readonly E[]): void {
    this.#open.length = at;
    for (const element of elements) {
      const again = this.#push(element.name, element.attributes, element);
      this.#formatting.replace(element, again);
      if (this.#form === element) this.#form = again;
    }
  }
}

/** What the search for an end tag's start tag does not cross; undefined for elements that end in another way. */
function endScope(name: string): ReadonlySet<string> | undefined {
  if (TABLE_PLACE.has(name)) return TABLE_SCOPE;
  if (name === 'p') return BUTTON_SCOPE;
  if (name === 'li') return LIST_SCOPE;
  return BLOCK.has(name) || MARKER.has(name) || name === 'button' || name === 'dd' || name === 'dt' ? SCOPE : undefined;
}
