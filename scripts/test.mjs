/**
 * `npm test`: installs, type-checks, lints, builds and runs every test; `npm test -- test/mail` runs those under a path.
 * The last line reads `N passed, N failed`, with `, N skipped` where a test gave a reason not to run.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build, installPackages, mark, marked, program, requireNode, root, run, stop } from './toolchain.mjs';
import { requireTools } from './tools.mjs';

requireNode(20);
installPackages();
requireTools();

const paths = process.argv.slice(2).flatMap(filesUnder);
if (paths.length === 0) {
  if (run('type-checking', program('tsc'), ['-p', 'tsconfig.json']) !== 0) fail('type errors, see above');
  if (run('linting', program('biome'), ['check', '.']) !== 0) fail('lint errors, see above; npm run format mends most');
}
build();

// tap generates its own module from its list of plugins; that has to be done once for every install.
const plugins = readFileSync(join(root, '.taprc'), 'utf8') + readFileSync(join(root, 'package-lock.json'), 'utf8').length;
if (!marked('tap', plugins)) {
  if (run('preparing tap', program('tap'), ['build']) !== 0) fail('tap build failed, see above');
  mark('tap', plugins);
}

const tap = spawn(program('tap'), ['--reporter=tap', ...paths], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
const totals = { passed: 0, failed: 0, skipped: 0 };
let block = [];
let failuresInBlock = 0;

for await (const line of createInterface({ input: tap.stdout })) {
  block.push(line);
  const test = /^ {4}(not )?ok \d+/.exec(line);
  if (test !== null && /# SKIP/i.test(line)) {
    totals.skipped += 1;
    process.stdout.write(`skipped: ${line.trim().replace(/^ok \d+ - /, '')}\n`);
  } else if (test !== null && test[1] === undefined) totals.passed += 1;
  else if (test !== null) failuresInBlock += 1;
  const file = /^(not )?ok \d+ - (.*)$/.exec(line);
  if (file === null) continue;
  if (file[1] === undefined) process.stdout.write(`ok      ${file[2]}\n`);
  else {
    process.stdout.write(`${block.join('\n')}\nFAILED  ${file[2]}\n`);
    // A file that ends before its tests do (a crash, a timeout) has failed even where no single test says so.
    totals.failed += Math.max(failuresInBlock, 1);
  }
  block = [];
  failuresInBlock = 0;
}

const code = await new Promise(resolve => (tap.exitCode === null ? tap.on('exit', resolve) : resolve(tap.exitCode)));
if (code !== 0 && totals.failed === 0) {
  process.stdout.write(`${block.join('\n')}\n`);
  totals.failed = 1;
}
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed${skipped}\n`);
process.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1);

/** Ends a run in which no test could be tried, by the same last line as any other. */
function fail(message) {
  process.stdout.write('0 passed, 1 failed\n');
  stop(message);
}

function filesUnder(path) {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts'))
    .map(name => join(path, name));
}
