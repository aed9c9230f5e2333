/** The reader as the product ships it, for tests. */
import { compileHiding, hidingTable } from '../../src/mail/html/hiding.ts';
import { createReader, type Link, type Reading } from '../../src/mail/visible.ts';
import { readTable } from '../../src/ops/table.ts';

export const reader = createReader(compileHiding(readTable('hiding-rules', hidingTable)));

export function readHtml(html: string): readonly Reading[] {
  return reader.read({ type: 'text/html', text: html });
}

/** Why the link to `href` is not seen in the first reading; `visible` where it is; undefined where there is none. */
export function fateOf(html: string, href: string): string | undefined {
  const link: Link | undefined = readHtml(html)[0]?.links.find(each => each.href.startsWith(href));
  return link === undefined ? undefined : (link.hiddenBy ?? 'visible');
}
