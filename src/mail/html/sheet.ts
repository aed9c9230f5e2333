/** Style sheets of a message: the rules that hold for every reader, found by element (CSS Selectors 4 as far as mail readers know them). */
import { type Declarations, type Declared, parseDeclarations } from './declarations.ts';
import type { OpenElement } from './formatting.ts';

/** What selectors ask of an element. */
export interface Selectable extends OpenElement {
  readonly parent: Selectable | undefined;
  readonly id: string | undefined;
  /** Each once. */
  readonly classes: readonly string[];
  /** An attribute's decoded value. */
  attribute(name: string): string | undefined;
}

interface Compound {
  readonly tag: string | undefined;
  readonly id: string | undefined;
  readonly classes: readonly string[];
  readonly tests: readonly ((element: Selectable) => boolean)[];
}

interface Rule {
  /** Rightmost first. */
  readonly compounds: readonly Compound[];
  /** Between a compound and the one before it in this list. */
  readonly combinators: readonly ('child' | 'descendant')[];
  readonly specificity: number;
  readonly order: number;
  readonly declarations: Declarations;
}

/** What matching may cost for one document: more than any real message makes. At zero the document is not judged. */
export interface Budget {
  left: number;
}

export const MATCHING_BUDGET = 2_000_000;
const MAX_SELECTOR = 1000;

/** The rules of all style sheets of a document; documents with the same style sheets share one. */
export class Sheet {
  readonly #byTag = new Map<string, Rule[]>();
  readonly #byClass = new Map<string, Rule[]>();
  readonly #byId = new Map<string, Rule[]>();
  readonly #anywhere: Rule[] = [];
  readonly #matters: (property: string) => boolean;
  #order = 0;
  /** A rule that matters has a selector that is not understood, so that what is not declared is not known either. */
  unsure = false;

  /** `matters`: whether a property is of interest; rules of others are not kept. */
  constructor(matters: (property: string) => boolean) {
    this.#matters = matters;
  }

  /** Says nothing of any element. */
  get empty(): boolean {
    return this.#order === 0 && !this.unsure;
  }

  /** Adds a `<style>` element's content. */
  add(css: string): void {
    for (const { selectors, body } of unconditionalRules(css.replace(/\/\*[\s\S]*?(?:\*\/|$)/g, ' ').replace(/<!--|-->/g, ' '))) {
      const declarations = new Map([...parseDeclarations(body)].filter(([property]) => this.#matters(property)));
      if (declarations.size === 0) continue;
      for (const selector of selectors.split(',')) this.#addRule(selector.trim(), declarations);
    }
  }

  /** The declarations of all rules that match, with those of the element's own style attribute, as the cascade ranks them. */
  cascade(element: Selectable, own: Declarations | undefined, budget: Budget): Declarations | undefined {
    const matching = this.#matching(element, budget);
    if (matching.length === 0) return own;
    matching.sort((a, b) => a.specificity - b.specificity || a.order - b.order);
    const result = new Map<string, Declared>();
    for (const declarations of [...matching.map(rule => rule.declarations), ...(own === undefined ? [] : [own])]) {
      for (const [property, declared] of declarations) {
        if (result.get(property)?.important !== true || declared.important) {
          // A later shorthand replaces its earlier longhand, so it must come later in the map as well.
          result.delete(property);
          result.set(property, declared);
        }
      }
    }
    return result;
  }

  #matching(element: Selectable, budget: Budget): Rule[] {
    const candidates = [this.#anywhere, this.#byTag.get(element.name), element.id === undefined ? undefined : this.#byId.get(element.id)];
    for (const name of element.classes) candidates.push(this.#byClass.get(name));
    const found: Rule[] = [];
    for (const rules of candidates) {
      if (rules === undefined) continue;
      budget.left -= rules.length;
      if (budget.left <= 0) return [];
      for (const rule of rules) if (matches(rule, element, 0, budget)) found.push(rule);
    }
    return found;
  }

  #addRule(selector: string, declarations: Declarations): void {
    const parsed = parseSelector(selector);
    if (parsed === undefined) {
      // States (hover) pass; structure and siblings may hold all the time.
      if (selector !== '' && !/:(?:hover|active|focus|visited|:)/i.test(selector)) this.unsure = true;
      return;
    }
    const rule: Rule = { ...parsed, order: this.#order++, declarations };
    const last = rule.compounds[0];
    const [first] = last?.classes ?? [];
    if (last?.id !== undefined) file(this.#byId, last.id, rule);
    else if (first !== undefined) file(this.#byClass, first, rule);
    else if (last?.tag !== undefined) file(this.#byTag, last.tag, rule);
    else this.#anywhere.push(rule);
  }
}

function matches(rule: Rule, element: Selectable, index: number, budget: Budget): boolean {
  const compound = rule.compounds[index];
  if (compound === undefined) return true;
  budget.left--;
  if (!fits(compound, element)) return false;
  const combinator = rule.combinators[index];
  if (combinator === undefined) return true;
  for (let above = element.parent; above !== undefined && budget.left > 0; above = above.parent) {
    if (matches(rule, above, index + 1, budget)) return true;
    if (combinator === 'child') return false;
  }
  return false;
}

function file(index: Map<string, Rule[]>, key: string, rule: Rule): void {
  const rules = index.get(key);
  if (rules === undefined) index.set(key, [rule]);
  else rules.push(rule);
}

function fits({ tag, id, classes, tests }: Compound, element: Selectable): boolean {
  return (
    (tag === undefined || tag === element.name) &&
    (id === undefined || id === element.id) &&
    classes.every(name => element.classes.includes(name)) &&
    tests.every(test => test(element))
  );
}

interface Block {
  readonly selectors: string;
  readonly body: string;
}

/**
 * The style rules outside conditions. `@media` is a condition where it names a feature (width, colour scheme) or print: a mobile-only block is
 * real campaigns' daily bread. `@media screen` and `@media all` are none: they would hide from everyone.
 */
function* unconditionalRules(css: string): Generator<Block> {
  const token = /"(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?|[{};]/g;
  let from = 0;
  let depth = 0;
  let prelude = '';
  let bodyFrom = 0;
  for (let match = token.exec(css); match !== null; match = token.exec(css)) {
    if (match[0] === '{') {
      if (depth++ > 0) continue;
      prelude = css.slice(from, match.index).trim();
      bodyFrom = match.index + 1;
      if (holdsForAll(prelude)) {
        // Its rules are read as if they stood outside; its closing brace then stands alone and is passed over.
        depth = 0;
        prelude = '';
        from = bodyFrom;
      }
    } else if (match[0] === '}') {
      if (depth > 0) depth--;
      if (depth === 0) {
        if (prelude !== '' && !prelude.startsWith('@')) yield { selectors: prelude, body: css.slice(bodyFrom, match.index) };
        prelude = '';
        from = match.index + 1;
      }
    } else if (match[0] === ';' && depth === 0) {
      from = match.index + 1;
    }
  }
  // The end of the sheet closes what is open (CSS Syntax §5.4.3).
  if (depth === 1 && prelude !== '' && !prelude.startsWith('@')) yield { selectors: prelude, body: css.slice(bodyFrom) };
}

function holdsForAll(prelude: string): boolean {
  return /^@media\s/i.test(prelude) && mediaForAll(prelude.slice(6));
}

/** Whether a media query list (`@media`'s, or a style element's `media` attribute) holds on every screen. */
export function mediaForAll(media: string): boolean {
  return media
    .toLowerCase()
    .split(',')
    .some(query => /^\s*(?:only\s+)?(?:all|screen)\s*$/.test(query) || query.trim() === '');
}

const PART =
  /^(?:([.#])((?:[\w-]|[^\0-\x7f]|\\.)+)|\[\s*([\w-]+)\s*(?:([~|^$*]?=)\s*(?:"([^"]*)"|'([^']*)'|([^\]\s"']+))\s*i?\s*)?\]|:(link|any-link)(?![\w(-]))/;

/** Undefined: not understood (siblings, states, structure), so that the rule is not applied. */
function parseSelector(selector: string): Omit<Rule, 'order' | 'declarations'> | undefined {
  if (selector.length > MAX_SELECTOR) return undefined;
  const compounds: Compound[] = [];
  const combinators: ('child' | 'descendant')[] = [];
  let specificity = 0;
  let rest = selector;
  while (rest !== '') {
    const tag = /^(?:[a-zA-Z][\w-]*|\*)/.exec(rest)?.[0];
    rest = rest.slice(tag?.length ?? 0);
    let id: string | undefined;
    const classes: string[] = [];
    const tests: ((element: Selectable) => boolean)[] = [];
    for (let part = PART.exec(rest); part !== null; part = PART.exec(rest)) {
      const [whole, kind, name = '', attribute, operator, double, single, bare, state] = part;
      if (kind === '#') id = name;
      else if (kind === '.') classes.push(name);
      else if (attribute !== undefined) tests.push(attributeTest(attribute.toLowerCase(), operator, double ?? single ?? bare ?? ''));
      else if (state !== undefined) tests.push(element => element.name === 'a' && element.attribute('href') !== undefined);
      rest = rest.slice(whole.length);
    }
    if (tag === undefined && id === undefined && classes.length === 0 && tests.length === 0) return undefined;
    specificity += (id === undefined ? 0 : 10_000) + (classes.length + tests.length) * 100 + (tag === undefined || tag === '*' ? 0 : 1);
    compounds.unshift({ tag: tag === '*' ? undefined : tag?.toLowerCase(), id, classes, tests });
    if (rest === '') break;
    const combinator = /^(?:\s*>\s*|\s+)(?=[\w.#[*:])/.exec(rest)?.[0];
    if (combinator === undefined) return undefined;
    combinators.unshift(combinator.includes('>') ? 'child' : 'descendant');
    rest = rest.slice(combinator.length);
  }
  return compounds.length === 0 ? undefined : { compounds, combinators, specificity };
}

function attributeTest(name: string, operator: string | undefined, wanted: string): (element: Selectable) => boolean {
  return element => {
    const value = element.attribute(name);
    if (value === undefined) return false;
    switch (operator) {
      case undefined:
        return true;
      case '=':
        return value === wanted;
      case '~=':
        return value.split(/\s+/).includes(wanted);
      case '|=':
        return value === wanted || value.startsWith(`${wanted}-`);
      case '^=':
        return wanted !== '' && value.startsWith(wanted);
      case '$=':
        return wanted !== '' && value.endsWith(wanted);
      default:
        return wanted !== '' && value.includes(wanted);
    }
  };
}
