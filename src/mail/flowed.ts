/** format=flowed (RFC 3676): soft line breaks, stuffed spaces and quote marks as a reader shows them. */

/** The text with its flowed lines joined. `delSp`: the space before a soft break is not part of the text. Linear, bounded memory. */
export function unflow(text: string, delSp: boolean): string {
  let out = '';
  let pieces: string[] = [];
  // Quote depth of the flowed line that the next one continues; -1: none does.
  let open = -1;
  for (let at = 0; at < text.length; ) {
    const feed = text.indexOf('\n', at);
    const next = feed < 0 ? text.length : feed + 1;
    let stop = feed < 0 ? text.length : feed;
    if (stop > at && text.charCodeAt(stop - 1) === 13) stop -= 1;
    let from = at;
    while (text[from] === '>') from += 1;
    const depth = from - at;
    if (text[from] === ' ') from += 1;
    const line = text.slice(from, stop);
    // §4.3: the signature separator is fixed, though it ends in a space.
    const signature = line === '-- ';
    const joins = open === depth && !signature;
    if (!joins && open >= 0) pieces.push('\n');
    if (!joins && depth > 0) pieces.push('>'.repeat(depth), ' ');
    const flows = !signature && line.endsWith(' ');
    pieces.push(flows && delSp ? line.slice(0, -1) : line);
    if (!flows && next > stop) pieces.push('\n');
    open = flows ? depth : -1;
    at = next;
    if (pieces.length > 4096) {
      out += pieces.join('');
      pieces = [];
    }
  }
  return out + pieces.join('');
}
