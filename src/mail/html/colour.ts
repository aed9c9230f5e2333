/** Colours as mail writes them, and whether two of them can be told apart (CSS Color 4, WCAG 2 contrast). */

/** Red, green, blue, 0–255. */
export type Colour = readonly [number, number, number];

/** What a colour value says: a colour, nothing to be seen, the parent's, or something that cannot be known. */
export type Paint = Colour | 'transparent' | 'inherit' | 'unknown';

export const WHITE: Colour = [255, 255, 255];
/** What readers paint a link that nobody painted. */
export const LINK_BLUE: Colour = [0, 0, 238];

/** CSS Color 4 §6.1. */
const NAMES: ReadonlyMap<string, string> = namesOf(
  'aliceblue f0f8ff antiquewhite faebd7 aqua 00ffff aquamarine 7fffd4 azure f0ffff beige f5f5dc bisque ffe4c4 black 000000 ' +
    'blanchedalmond ffebcd blue 0000ff blueviolet 8a2be2 brown a52a2a burlywood deb887 cadetblue 5f9ea0 chartreuse 7fff00 ' +
    'chocolate d2691e coral ff7f50 cornflowerblue 6495ed cornsilk fff8dc crimson dc143c cyan 00ffff darkblue 00008b darkcyan 008b8b ' +
    'darkgoldenrod b8860b darkgray a9a9a9 darkgreen 006400 darkgrey a9a9a9 darkkhaki bdb76b darkmagenta 8b008b darkolivegreen 556b2f ' +
    'darkorange ff8c00 darkorchid 9932cc darkred 8b0000 darksalmon e9967a darkseagreen 8fbc8f darkslateblue 483d8b ' +
    'darkslategray 2f4f4f darkslategrey 2f4f4f darkturquoise 00ced1 darkviolet 9400d3 deeppink ff1493 deepskyblue 00bfff ' +
    'dimgray 696969 dimgrey 696969 dodgerblue 1e90ff firebrick b22222 floralwhite fffaf0 forestgreen 228b22 fuchsia ff00ff ' +
    'gainsboro dcdcdc ghostwhite f8f8ff gold ffd700 goldenrod daa520 gray 808080 green 008000 greenyellow adff2f grey 808080 ' +
    'honeydew f0fff0 hotpink ff69b4 indianred cd5c5c indigo 4b0082 ivory fffff0 khaki f0e68c lavender e6e6fa lavenderblush fff0f5 ' +
    'lawngreen 7cfc00 lemonchiffon fffacd lightblue add8e6 lightcoral f08080 lightcyan e0ffff lightgoldenrodyellow fafad2 ' +
    'lightgray d3d3d3 lightgreen 90ee90 lightgrey d3d3d3 lightpink ffb6c1 lightsalmon ffa07a lightseagreen 20b2aa lightskyblue 87cefa ' +
    'lightslategray 778899 lightslategrey 778899 lightsteelblue b0c4de lightyellow ffffe0 lime 00ff00 limegreen 32cd32 linen faf0e6 ' +
    'magenta ff00ff maroon 800000 mediumaquamarine 66cdaa mediumblue 0000cd mediumorchid ba55d3 mediumpurple 9370db ' +
    'mediumseagreen 3cb371 mediumslateblue 7b68ee mediumspringgreen 00fa9a mediumturquoise 48d1cc mediumvioletred c71585 ' +
    'midnightblue 191970 mintcream f5fffa mistyrose ffe4e1 moccasin ffe4b5 navajowhite ffdead navy 000080 oldlace fdf5e6 olive 808000 ' +
    'olivedrab 6b8e23 orange ffa500 orangered ff4500 orchid da70d6 palegoldenrod eee8aa palegreen 98fb98 paleturquoise afeeee ' +
    'palevioletred db7093 papayawhip ffefd5 peachpuff ffdab9 peru cd853f pink ffc0cb plum dda0dd powderblue b0e0e6 purple 800080 ' +
    'rebeccapurple 663399 red ff0000 rosybrown bc8f8f royalblue 4169e1 saddlebrown 8b4513 salmon fa8072 sandybrown f4a460 ' +
    'seagreen 2e8b57 seashell fff5ee sienna a0522d silver c0c0c0 skyblue 87ceeb slateblue 6a5acd slategray 708090 slategrey 708090 ' +
    'snow fffafa springgreen 00ff7f steelblue 4682b4 tan d2b48c teal 008080 thistle d8bfd8 tomato ff6347 turquoise 40e0d0 ' +
    'violet ee82ee wheat f5deb3 white ffffff whitesmoke f5f5f5 yellow ffff00 yellowgreen 9acd32',
);

/** A `color` or `background-color` value, lower case. */
export function parseColour(value: string): Paint {
  if (value === 'transparent') return 'transparent';
  if (value === 'inherit' || value === 'unset' || value === 'currentcolor') return 'inherit';
  const hex = /^#([0-9a-f]{3,8})$/.exec(value)?.[1] ?? NAMES.get(value);
  if (hex !== undefined) return fromHex(hex);
  const call = /^(rgb|hsl)a?\(([^()]*)\)$/.exec(value);
  if (call === null) return 'unknown';
  const parts = (call[2] ?? '').split(/[\s,/]+/).filter(part => part !== '');
  return call[1] === 'rgb' ? fromRgb(parts) : fromHsl(parts);
}

/** A `bgcolor`, `color`, `text` or `link` attribute: a hex colour may lack its `#` there. */
export function parseLegacyColour(value: string): Paint {
  const word = value.trim().toLowerCase();
  return /^[0-9a-f]{6}$/.test(word) ? fromHex(word) : parseColour(word);
}

/** The paint that a `background` shorthand leaves: an image or gradient cannot be known; no colour at all leaves the parent's. */
export function parseBackground(value: string): Paint {
  if (/url\(|gradient|image\(|var\(/.test(value)) return 'unknown';
  for (const word of value.match(/[^\s(]+(?:\([^)]*\))?/g) ?? []) {
    const paint = parseColour(word);
    if (paint !== 'unknown') return paint === 'inherit' ? 'transparent' : paint;
  }
  return 'transparent';
}

/** WCAG 2 contrast of two colours: 1 (the same) to 21. */
export function contrast(a: Colour, b: Colour): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: Colour): number {
  const [r, g, b] = colour.map(channel => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** A colour that hardly covers is none; one that covers in part mixes with what cannot be known. */
function withAlpha(colour: Colour, alpha: number): Paint {
  if (alpha <= 0.1) return 'transparent';
  return alpha >= 0.9 || Number.isNaN(alpha) ? colour : 'unknown';
}

function fromHex(hex: string): Paint {
  if (hex.length === 5 || hex.length === 7) return 'unknown';
  const full = hex.length <= 4 ? [...hex].map(digit => digit + digit).join('') : hex;
  const [r = 0, g = 0, b = 0, alpha = 255] = (full.match(/../g) ?? []).map(pair => Number.parseInt(pair, 16));
  return withAlpha([r, g, b], alpha / 255);
}

function fromRgb(parts: readonly string[]): Paint {
  const [r, g, b, alpha = 1] = parts.map((part, index) =>
    part.endsWith('%') ? (Number(part.slice(0, -1)) / 100) * (index < 3 ? 255 : 1) : Number(part),
  );
  if (r === undefined || g === undefined || b === undefined || Number.isNaN(r + g + b)) return 'unknown';
  return withAlpha([clamp(r), clamp(g), clamp(b)], alpha);
}

function fromHsl(parts: readonly string[]): Paint {
  const [hue, saturation, lightness, alpha = 1] = parts.map(
    (part, index) => (part.endsWith('%') ? Number(part.slice(0, -1)) / 100 : Number(part.replace(/deg$/, ''))) / (index === 0 ? 30 : 1),
  );
  if (hue === undefined || saturation === undefined || lightness === undefined || Number.isNaN(hue + saturation + lightness))
    return 'unknown';
  const amount = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const k = (((offset + hue) % 12) + 12) % 12;
    return clamp(255 * (lightness - amount * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return withAlpha([channel(0), channel(8), channel(4)], alpha);
}

function clamp(channel: number): number {
  return Math.max(0, Math.min(255, Math.round(channel)));
}

function namesOf(words: string): ReadonlyMap<string, string> {
  return new Map([...words.matchAll(/(\w+) ([0-9a-f]{6})/g)].map(([, name = '', hex = '']) => [name, hex]));
}
