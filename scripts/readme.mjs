/** `npm run readme`: writes the generated parts of README.md anew: tables from the registry, the demo's output from a run of the demo. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, installPackages, requireNode, root } from './toolchain.mjs';

requireNode(20);
installPackages();
build();

const { checksTable, tokensTable } = await import(join(root, 'dist', 'checks', 'tables.js'));
const { commandsTable } = await import(join(root, 'dist', 'cli', 'tables.js'));
const demo = execFileSync(process.execPath, [join(root, 'dist', 'main.js'), 'demo'], { encoding: 'utf8' }).trim();

const file = join(root, 'README.md');
let text = readFileSync(file, 'utf8');
for (const [name, content] of [
  ['checks', checksTable()],
  ['tokens', tokensTable()],
  ['commands', commandsTable()],
  ['demo', `\`\`\`\n${demo}\n\`\`\`\n`],
]) {
  const part = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!part.test(text)) throw new Error(`README.md has no part <!-- ${name} -->`);
  text = text.replace(part, (_, begin, end) => `${begin}${content}${end}`);
}
writeFileSync(file, text);
