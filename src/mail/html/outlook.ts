/** Outlook's reading of HTML: desktop Outlook (Word) opens conditional comments that every other reader passes over, and the reverse. */

/** The Word engine's version since Outlook 2016, and what it knows of the other features that conditions name. */
const FEATURES: ReadonlyMap<string, number> = new Map([
  ['mso', 16],
  ['vml', 1],
]);

const OPENING = /<!(?:--)?\[if\s([^\]<>]{0,200})\]>/gi;
const CLOSING = /(?:<!--[ \t]*)?<!\[endif\](?:--)?>/gi;

/** Whether there is anything that Outlook reads otherwise than the rest. */
export function readsOtherwise(html: string): boolean {
  return /<!(?:--)?\[if\s/i.test(html);
}

/**
 * The document as Outlook reads it: what stands under conditions that hold is plain markup, what stands under others is gone. A condition that
 * is not understood is left as it is, a comment. Nested conditions do not occur: the first `<![endif]` ends the first `[if`.
 */
export function outlookReading(html: string): string {
  const opening = new RegExp(OPENING);
  const closing = new RegExp(CLOSING);
  let result = '';
  let at = 0;
  for (let open = opening.exec(html); open !== null; open = opening.exec(html)) {
    const holds = evaluate(open[1] ?? '');
    if (holds === undefined) continue;
    closing.lastIndex = opening.lastIndex;
    const close = closing.exec(html);
    const inside = html.slice(opening.lastIndex, close?.index ?? html.length);
    result += html.slice(at, open.index);
    // `<!--[if !mso]><!-->`: what is left of the opening is a comment of its own (`<!-->`, `<!-- -->`, `-->`).
    if (holds) result += inside.replace(/^-->/, '');
    at = close === null ? html.length : closing.lastIndex;
    opening.lastIndex = at;
    if (close === null) break;
  }
  return result + html.slice(at);
}

/** `mso`, `!mso`, `gte mso 9`, `(gte mso 9)|(IE)`, `mso | IE`. Undefined: not understood. */
function evaluate(condition: string): boolean | undefined {
  const tokens = condition.toLowerCase().match(/[!&|()]|[a-z]+|[\d.]+|\S/g) ?? [];
  let at = 0;
  const either = (): boolean | undefined => {
    let value = both();
    while (tokens[at] === '|') {
      at++;
      const right = both();
      value = value === true || right === true ? true : value === undefined || right === undefined ? undefined : false;
    }
    return value;
  };
  const both = (): boolean | undefined => {
    let value = one();
    while (tokens[at] === '&') {
      at++;
      const right = one();
      value = value === false || right === false ? false : value === undefined || right === undefined ? undefined : true;
    }
    return value;
  };
  const one = (): boolean | undefined => {
    const token = tokens[at++];
    if (token === '!') {
      const value = one();
      return value === undefined ? undefined : !value;
    }
    if (token === '(') {
      const value = either();
      return tokens[at++] === ')' ? value : undefined;
    }
    if (token === 'gt' || token === 'gte' || token === 'lt' || token === 'lte') return compare(token, tokens[at++], tokens[at++]);
    const version = FEATURES.get(token ?? '');
    if (version === undefined) return undefined;
    return /^\d/.test(tokens[at] ?? '') ? compare('eq', token, tokens[at++]) : true;
  };
  const value = either();
  return at === tokens.length ? value : undefined;
}

function compare(operator: string, feature: string | undefined, wanted: string | undefined): boolean | undefined {
  const version = FEATURES.get(feature ?? '');
  const number = Number(wanted);
  if (version === undefined || Number.isNaN(number)) return undefined;
  if (operator === 'gt') return version > number;
  if (operator === 'gte') return version >= number;
  if (operator === 'lt') return version < number;
  return operator === 'lte' ? version <= number : version === number;
}
