/** What both commands need before anything of the project can run: a Node that is new enough, installed packages, a fresh build. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Says what is wrong and how to mend it, and ends the command with exit code 1. */
export function stop(message) {
  process.stderr.write(`postern: ${message}\n`);
  process.exit(1);
}

export function requireNode(major) {
  const found = Number(process.versions.node.split('.')[0]);
  if (found < major) stop(`Node ${major} or newer is needed, this is ${process.versions.node}: see https://nodejs.org`);
}

/** Runs a step in the project's folder; its output goes to stderr, so that stdout stays the command's own. */
export function run(title, command, args, options = {}) {
  process.stderr.write(`postern: ${title}\n`);
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', process.stderr, process.stderr], ...options });
  if (result.error !== undefined) stop(`${title}: ${command} cannot be run (${result.error.code})`);
  return result.status ?? 1;
}

/** The program of an installed package. */
export function program(name) {
  return join(root, 'node_modules', '.bin', name);
}

/** Installs exactly what package-lock.json names, unless that is what node_modules already holds. */
export function installPackages() {
  const wanted = digest([join(root, 'package-lock.json')]);
  if (marked('packages', wanted) && existsSync(program('tsc'))) return;
  const status = run('installing packages (npm ci)', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (status !== 0) stop('npm ci failed, see above; is the registry reachable?');
  mark('packages', wanted);
}

/** Compiles src to dist, unless dist was compiled from just these sources. */
export function build() {
  const sources = [
    ...filesUnder(join(root, 'src')),
    join(root, 'tsconfig.json'),
    join(root, 'tsconfig.build.json'),
    join(root, 'package-lock.json'),
  ];
  const wanted = digest(sources);
  if (marked('build', wanted) && existsSync(join(root, 'dist', 'main.js'))) return;
  if (run('building', program('tsc'), ['-p', 'tsconfig.build.json']) !== 0) stop('the build failed, see above');
  mark('build', wanted);
}

function* filesUnder(folder) {
  for (const entry of readdirSync(folder).sort()) {
    const path = join(folder, entry);
    if (statSync(path).isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

function digest(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

const markFile = name => join(root, 'node_modules', '.postern', name);

/** True where this step was last done for just this content. */
export function marked(name, content) {
  return existsSync(markFile(name)) && readFileSync(markFile(name), 'utf8') === content;
}

export function mark(name, content) {
  mkdirSync(dirname(markFile(name)), { recursive: true });
  writeFileSync(markFile(name), content);
}
