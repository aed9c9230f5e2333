/** What hides from a person: the rules of config/hiding-rules.yaml, and how an element looks once they and its colours are applied. */
import { type Static, Type } from 'typebox';
import { type Colour, contrast, type Paint, parseBackground, parseColour, WHITE } from './colour.ts';
import { type Declarations, fontPixels, pixels, shorthandSize } from './declarations.ts';

const strings = Type.Array(Type.String(), { minItems: 1 });
const condition = Type.Object(
  { is: Type.Optional(strings), max: Type.Optional(Type.Number()), matches: Type.Optional(Type.String()) },
  { additionalProperties: false, minProperties: 1 },
);
const shared = {
  name: Type.String(),
  /** What is hidden: everything inside (default), only its text, or only that a link there can be followed. */
  hides: Type.Optional(Type.Union([Type.Literal('everything'), Type.Literal('text'), Type.Literal('links')])),
  /** HTML with `{link}` hidden by just this rule. */
  sample: Type.String(),
  /** HTML like it in which `{link}` can be seen. */
  shown: Type.Optional(Type.String()),
};
const elementRule = Type.Object(
  { ...shared, elements: strings, without: Type.Optional(Type.String()), but: Type.Optional(Type.String()) },
  { additionalProperties: false },
);
const attributeRule = Type.Object({ ...shared, attribute: Type.String() }, { additionalProperties: false });
const styleRule = Type.Object(
  { ...shared, when: Type.Record(Type.String(), condition), inherits: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
);
const contrastRule = Type.Object({ ...shared, contrastBelow: Type.Number() }, { additionalProperties: false });

/** config/hiding-rules.yaml. */
export const hidingTable = Type.Array(Type.Union([elementRule, attributeRule, styleRule, contrastRule]), { minItems: 1 });
export type HidingTable = Static<typeof hidingTable>;

type Hides = 'everything' | 'text' | 'links';

interface Test {
  readonly property: string;
  holds(value: string): boolean;
}

interface StyleRule {
  readonly name: string;
  readonly bit: number;
  readonly tests: readonly [Test, ...Test[]];
}

interface ElementRule {
  readonly bit: number;
  readonly without: string | undefined;
  readonly but: string | undefined;
}

/** The table made ready. */
export interface Hiding {
  readonly names: readonly string[];
  readonly elements: ReadonlyMap<string, ElementRule>;
  readonly attributes: readonly { readonly bit: number; readonly name: string }[];
  /** A descendant cannot undo these. */
  readonly fixed: readonly StyleRule[];
  /** A descendant that declares the property anew undoes these. */
  readonly inherited: readonly StyleRule[];
  readonly fontSize: { readonly bit: number; readonly max: number };
  readonly contrast: { readonly bit: number; readonly below: number };
  readonly textMask: number;
  readonly linkMask: number;
  readonly imageMask: number;
  /** Whether a property is asked about by some rule, or says what colours are. */
  matters(property: string): boolean;
}

/** One bit a rule. */
const MAX_RULES = 32;
const COLOURS = ['color', 'background', 'background-color', 'background-image', 'font', 'font-size'];

/**
 * Makes the table ready.
 * @throws Error naming the rule that cannot be used
 */
export function compileHiding(table: HidingTable): Hiding {
  if (table.length > MAX_RULES) throw new Error(`hiding-rules.yaml: ${table.length} rules, ${MAX_RULES} at most`);
  const masks: Record<Hides, number> = { everything: 0, text: 0, links: 0 };
  const elements = new Map<string, ElementRule>();
  const attributes: { bit: number; name: string }[] = [];
  const fixed: StyleRule[] = [];
  const inherited: StyleRule[] = [];
  let fontSize: Hiding['fontSize'] | undefined;
  let contrastAt: Hiding['contrast'] | undefined;
  for (const [index, rule] of table.entries()) {
    const bit = 1 << index;
    masks[rule.hides ?? 'everything'] |= bit;
    if ('elements' in rule) for (const name of rule.elements) elements.set(name, { bit, without: rule.without, but: rule.but });
    else if ('attribute' in rule) attributes.push({ bit, name: rule.attribute });
    else if ('contrastBelow' in rule) contrastAt = { bit, below: rule.contrastBelow };
    else {
      const tests = Object.entries(rule.when).map(([property, holds]) => ({ property, holds: test(rule.name, holds) }));
      const [first, ...others] = tests;
      if (first === undefined) throw new Error(`hiding-rules.yaml: rule ${rule.name} has no condition in "when"`);
      // A size is the computed one, so this one rule is worked out with the element's parent (fontPixels).
      if (first.property === 'font-size') fontSize = { bit, max: rule.when['font-size']?.max ?? 0 };
      else (rule.inherits ? inherited : fixed).push({ name: rule.name, bit, tests: [first, ...others] });
    }
  }
  if (fontSize === undefined || contrastAt === undefined)
    throw new Error('hiding-rules.yaml: needs a rule on font-size and one with contrastBelow');
  const properties = new Set([...COLOURS, ...[...fixed, ...inherited].flatMap(rule => rule.tests.map(({ property }) => property))]);
  return {
    names: table.map(({ name }) => name),
    elements,
    attributes,
    fixed,
    inherited,
    fontSize,
    contrast: contrastAt,
    textMask: masks.everything | masks.text,
    linkMask: masks.everything | masks.links,
    imageMask: masks.everything,
    matters: property => properties.has(property),
  };
}

function test(rule: string, { is, max, matches }: Static<typeof condition>): (value: string) => boolean {
  let pattern: RegExp | undefined;
  try {
    pattern = matches === undefined ? undefined : new RegExp(matches);
  } catch {
    throw new Error(`hiding-rules.yaml: rule ${rule}: "${matches}" is no regular expression`);
  }
  return value => {
    if (is?.includes(value) === true || pattern?.test(value) === true) return true;
    const length = max === undefined ? undefined : pixels(value);
    return length !== undefined && max !== undefined && length <= max;
  };
}

/** How an element looks to a person. */
export interface Look {
  /** Rules that hide, a bit each. */
  readonly hidden: number;
  readonly fontPixels: number;
  /** Undefined: cannot be known. */
  readonly colour: Colour | 'transparent' | undefined;
  readonly background: Colour | undefined;
}

/** The page before any element: black or whatever the reader chose (so: unknown) on white. */
export const PAGE: Look = { hidden: 0, fontPixels: 16, colour: undefined, background: WHITE };

/** What declarations say of an element, apart from its parent. */
export interface Effect {
  readonly hidden: number;
  /** Inherited rules whose property is declared here: shown again unless `hidden` says otherwise. */
  readonly renewed: number;
  readonly fontSize: string | undefined;
  readonly colour: Paint | undefined;
  readonly background: Paint | undefined;
}

/** What the declarations do by the rules. */
export function effectOf(hiding: Hiding, declared: Declarations): Effect {
  let hidden = 0;
  let renewed = 0;
  for (const rule of hiding.fixed)
    if (rule.tests.every(({ property, holds }) => declaredHolds(declared, property, holds))) hidden |= rule.bit;
  for (const rule of hiding.inherited) {
    const value = declared.get(rule.tests[0].property)?.value;
    if (value === undefined || value === 'inherit' || value === 'unset') continue;
    renewed |= rule.bit;
    if (rule.tests.every(({ property, holds }) => declaredHolds(declared, property, holds))) hidden |= rule.bit;
  }
  let fontSize: string | undefined;
  let background: Paint | undefined;
  for (const [property, { value }] of declared) {
    if (property === 'font-size') fontSize = value;
    else if (property === 'font') fontSize = shorthandSize(value) ?? fontSize;
    else if (property === 'background') background = parseBackground(value);
    else if (property === 'background-color') background = background === 'unknown' ? background : parseColour(value);
    else if (property === 'background-image' && value !== 'none') background = 'unknown';
  }
  const colour = declared.get('color')?.value;
  return { hidden, renewed, fontSize, colour: colour === undefined ? undefined : parseColour(colour), background };
}

function declaredHolds(declared: Declarations, property: string, holds: (value: string) => boolean): boolean {
  const value = declared.get(property)?.value;
  return value !== undefined && holds(value);
}

/** The look of an element with that effect, inside one that looks like `parent`. */
export function lookOf(hiding: Hiding, parent: Look, effect: Effect): Look {
  const fontSize =
    effect.fontSize === undefined ? parent.fontPixels : (fontPixels(effect.fontSize, parent.fontPixels) ?? parent.fontPixels);
  const background = effect.background === 'unknown' ? undefined : (solid(effect.background) ?? parent.background);
  const colour =
    effect.colour === 'unknown' ? undefined : effect.colour === 'transparent' ? effect.colour : (solid(effect.colour) ?? parent.colour);
  let hidden = (parent.hidden & ~effect.renewed) | effect.hidden;
  if (fontSize !== parent.fontPixels) hidden = withBit(hidden, hiding.fontSize.bit, fontSize <= hiding.fontSize.max);
  if (colour !== parent.colour || background !== parent.background) {
    const same =
      colour === 'transparent' ||
      (colour !== undefined && background !== undefined && contrast(colour, background) < hiding.contrast.below);
    hidden = withBit(hidden, hiding.contrast.bit, same);
  }
  return { hidden, fontPixels: fontSize, colour, background };
}

function withBit(bits: number, bit: number, on: boolean): number {
  return on ? bits | bit : bits & ~bit;
}

function solid(paint: Paint | undefined): Colour | undefined {
  return typeof paint === 'string' ? undefined : paint;
}

/** Name of the first rule of those bits. */
export function ruleName(hiding: Hiding, bits: number): string {
  return hiding.names.find((_name, index) => (bits & (1 << index)) !== 0) ?? 'unknown rule';
}
