/** CSS declarations: `style` attributes and rule bodies as properties with values, and lengths in pixels (CSS Syntax 3, CSS Values 4). */

/** A property's value, lower case, blanks collapsed, without `!important`. */
export interface Declared {
  readonly value: string;
  readonly important: boolean;
}

export type Declarations = ReadonlyMap<string, Declared>;

/**
 * The declarations of a `style` attribute or of a rule's body; of two for one property the later counts, unless the earlier alone is important.
 * Comments and escapes are undone first: `disp\6c ay` hides as well as `display`.
 */
export function parseDeclarations(text: string): Declarations {
  const declared = new Map<string, Declared>();
  for (const piece of pieces(plain(text))) {
    const colon = piece.indexOf(':');
    if (colon < 0) continue;
    const property = piece.slice(0, colon).trim().toLowerCase();
    const raw = piece
      .slice(colon + 1)
      .trim()
      .toLowerCase();
    const important = /!\s*important$/.test(raw);
    const value = (important ? raw.slice(0, raw.lastIndexOf('!')) : raw).replace(/\s+/g, ' ').trim();
    if (property === '' || value === '') continue;
    if (declared.get(property)?.important === true && !important) continue;
    // Re-inserted, so that a map's order is the order of what counts: a later shorthand beats an earlier longhand.
    declared.delete(property);
    declared.set(property, { value, important });
  }
  return declared;
}

/** Without comments, and with escapes resolved (CSS Syntax §4.3.7). */
function plain(text: string): string {
  const bare = text.includes('/*') ? text.replace(/\/\*[\s\S]*?(?:\*\/|$)/g, ' ') : text;
  if (!bare.includes('\\')) return bare;
  return bare.replace(/\\(?:([0-9a-fA-F]{1,6})\s?|([^\n]))/g, (_whole, hex: string | undefined, character: string | undefined) => {
    if (hex === undefined) return character ?? '';
    const code = Number.parseInt(hex, 16);
    return code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? '\ufffd' : String.fromCodePoint(code);
  });
}

/** Cut at semicolons, but not within brackets and quotes (`url(data:image/png;base64,…)`). */
function pieces(text: string): readonly string[] {
  if (!/["'(]/.test(text)) return text.split(';');
  const found: string[] = [];
  const token = /"[^"\n]*"?|'[^'\n]*'?|[();]/g;
  let depth = 0;
  let from = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    if (match[0] === '(') depth++;
    else if (match[0] === ')') depth = Math.max(0, depth - 1);
    else if (match[0] === ';' && depth === 0) {
      found.push(text.slice(from, match.index));
      from = match.index + 1;
    }
  }
  found.push(text.slice(from));
  return found;
}

/** Pixels of one unit. Percentages are of something unknown: a typical mail's column, about 800 pixels, which tells 0% and -100% apart from 50%. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['px', 1],
  ['pt', 4 / 3],
  ['pc', 16],
  ['in', 96],
  ['cm', 96 / 2.54],
  ['mm', 96 / 25.4],
  ['q', 96 / 101.6],
  ['em', 16],
  ['rem', 16],
  ['ex', 8],
  ['ch', 8],
  ['vw', 8],
  ['vh', 8],
  ['vmin', 8],
  ['vmax', 8],
  ['%', 8],
]);

const LENGTH = /^(?:calc\( ?)?([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([a-z]*|%)(?: ?\))?$/;

/** A length or a bare number in pixels; undefined where the value is none (`auto`, `calc(1px + 2%)`, `var(…)`). */
export function pixels(value: string): number | undefined {
  const match = LENGTH.exec(value);
  const unit = UNITS.get(match?.[2] ?? 'none');
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

const KEYWORD_SIZES: ReadonlyMap<string, number> = new Map([
  ['xx-small', 9],
  ['x-small', 10],
  ['small', 13],
  ['medium', 16],
  ['large', 18],
  ['x-large', 24],
  ['xx-large', 32],
  ['xxx-large', 48],
  ['initial', 16],
]);

/** A font size in pixels where the parent's is `parent`. Undefined: no font size, so the parent's stays. */
export function fontPixels(value: string, parent: number): number | undefined {
  const keyword = KEYWORD_SIZES.get(value);
  if (keyword !== undefined) return keyword;
  if (value === 'smaller') return parent / 1.2;
  if (value === 'larger') return parent * 1.2;
  const match = LENGTH.exec(value);
  if (match === null) return undefined;
  const size = Number(match[1]);
  if (match[2] === 'em') return size * parent;
  if (match[2] === '%') return (size / 100) * parent;
  return pixels(value);
}

/** The font size in a `font` shorthand (`font: 0/0 a`), as written. */
export function shorthandSize(value: string): string | undefined {
  for (const word of value.split(/[ ,]/)) {
    const size = word.split('/')[0] ?? '';
    // A bare number above zero is a weight.
    if (KEYWORD_SIZES.has(size) || (LENGTH.test(size) && (!/^\d+$/.test(size) || Number(size) === 0))) return size;
  }
  return undefined;
}
