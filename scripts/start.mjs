/**
 * `npm start`: installs and builds where needed, then runs the gate (or the command given: `npm start -- doctor`).
 * package.json says `exec`, because a shell in between would die of npm's SIGTERM and leave the gate running.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, installPackages, requireNode, root } from './toolchain.mjs';

requireNode(20);
installPackages();
build();

const args = process.argv.slice(2);
const child = spawn(process.execPath, [join(root, 'dist', 'main.js'), ...(args.length > 0 ? args : ['serve'])], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
