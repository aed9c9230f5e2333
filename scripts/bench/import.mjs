/**
 * `node scripts/bench/import.mjs [--rows N]`: `postern list import` into a fresh LMDB store, N addresses (1,000,000). Prints rows a second and
 * the process's CPU time a row; on a machine that others use, too, only the latter says anything. Start-up and closing are counted.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../toolchain.mjs';

const at = process.argv.indexOf('--rows');
const rows = at < 0 ? 1_000_000 : Number(process.argv[at + 1]);
const main = join(root, 'dist', 'main.js');
const home = mkdtempSync(join(tmpdir(), 'postern-import-'));
const config = join(home, 'postern.yaml');

try {
  writeFileSync(config, 'store: {url: "lmdb:./data"}\n');
  await postern(
    'client',
    'add',
    'acme',
    '--name',
    'Acme',
    '--privacy-url',
    'https://acme.example/privacy',
    '--from-domain',
    'acme.example',
  );
  const list = join(home, 'list.txt');
  const file = createWriteStream(list);
  for (let i = 0; i < rows; i++) if (!file.write(`person.number${i}@example${i % 5_000}.com\n`)) await once(file, 'drain');
  file.end();
  await once(file, 'finish');
  const began = process.hrtime.bigint();
  const ticks = await postern('list', 'import', 'acme', list, '--json');
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  console.log(
    `${rows} rows in ${seconds.toFixed(1)} s: ${Math.round(rows / seconds)} rows/s, ${((ticks * 1e4) / rows).toFixed(1)} µs of CPU a row`,
  );
} finally {
  rmSync(home, { recursive: true, force: true });
}

/** Runs a command; resolves to the hundredths of a second of CPU that it took, as Linux last said. */
async function postern(...args) {
  const child = spawn(process.execPath, [main, ...args, '--config', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  let ticks = 0;
  const look = setInterval(() => {
    try {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      ticks = Number(fields[11]) + Number(fields[12]) || ticks;
    } catch {
      // It just ended.
    }
  }, 50);
  const [code] = await once(child, 'exit');
  clearInterval(look);
  if (code !== 0) throw new Error(`postern ${args.slice(0, 2).join(' ')} ended with ${code}`);
  return ticks;
}
