/** The configuration that a guide in docs/ tells a mail admin to write, taken from there, so that the guide says what the tests run. */
import { readFileSync } from 'node:fs';

const guideText = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

/** The commands that it has the admin type on Postern's host, without `postern`, in order. */
export function guideCommands(name = 'postfix.md'): readonly (readonly string[])[] {
  const lines = [...guideText(name).matchAll(/^ {4}postern (.+)$/gm)];
  return lines.map(([, line = '']) => [...line.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word));
}

export interface Guide {
  /** main.cf settings. */
  readonly settings: Readonly<Record<string, string>>;
  /** The other files by name. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * The guide's blocks, those of one variant laid over the plain ones: `# /etc/postfix/<file>`, or `# /etc/postfix/<file> with <variant>`.
 * `replace`: what the guide writes for what this machine has; each must occur.
 */
export function readGuide(replace: Readonly<Record<string, string>>, variant?: string, name = 'postfix.md'): Guide {
  let text = guideText(name);
  for (const [written, here] of Object.entries(replace)) {
    if (!text.includes(written)) throw new Error(`docs/${name} does not say ${written}`);
    text = text.replaceAll(written, here);
  }
  const files: Record<string, string> = {};
  for (const [, file = '', of, content = ''] of text.matchAll(
    /^```\n# \/etc\/postfix\/(\w+(?:\.cf)?)(?: with (\w+))?\n([\s\S]*?)^```$/gm,
  )) {
    // A main.cf block adds to the one before; a table is given whole.
    if (of === undefined || of === variant) files[file] = file === 'main.cf' ? (files[file] ?? '') + content : content;
  }
  const { 'main.cf': main = '', ...tables } = files;
  return { settings: readSettings(main), files: tables };
}

/** What the guide has the admin write into postern.yaml. */
export function guideConfig(name: string): string {
  const [, text] = /^```\n# postern\.yaml\n([\s\S]*?)^```$/m.exec(guideText(name)) ?? [];
  if (text === undefined) throw new Error(`docs/${name} has no postern.yaml`);
  return text;
}

function readSettings(main: string): Record<string, string> {
  const lines = main.split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf(' =')), line.slice(line.indexOf('= ') + 2)]));
}
