/** The tables of checks and of reply tokens, for the README: what the definitions say, nothing else. */
import type { CheckDefinition } from '../policy/check.ts';
import { registry } from './index.ts';

/** Markdown: one row a check, in registry order. */
export function checksTable(): string {
  return table(
    ['check', 'asks that', 'token', 'options', 'keeps'],
    registry.map(check => [
      `\`${check.name}\`${check.alwaysEnforced === true ? ' (always enforced)' : ''}`,
      check.doc,
      check.tokens.map(({ token }) => `\`${token}\``).join(', '),
      optionsOf(check),
      check.promises.join(', '),
    ]),
  );
}

/** Markdown: one row a token that a reply may carry. */
export function tokensTable(): string {
  const tokens = registry.flatMap(check => check.tokens.map(({ token, meaning }) => [`\`${token}\``, meaning, `\`${check.name}\``]));
  return table(['token', 'meaning', 'check'], tokens);
}

function optionsOf(check: CheckDefinition): string {
  // What law 1 fixes is no option of the operator's.
  if (check.alwaysEnforced === true) return '';
  const { properties = {} } = check.options as { properties?: Record<string, { description?: string }> };
  return Object.entries(properties)
    .map(([name, { description = '' }]) => `\`${name}\`: ${description}`)
    .join('; ');
}

/** Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '-').join('|')}|`, ...rows.map(line), ''].join('\n');
}
