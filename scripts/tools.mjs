/** The real parts that tests run against: installed where this may be done (root on Debian), named where it may not. */
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './toolchain.mjs';

/** Program → Debian package. */
const TOOLS = {
  'redis-server': 'redis-server',
  postfix: 'postfix',
  'smtp-source': 'postfix',
  swaks: 'swaks',
  curl: 'curl',
  python3: 'python3',
  strings: 'binutils',
  dovecot: 'dovecot-imapd',
};

/** Plug-in → Debian package: without it Postfix cannot log in. */
const PLUGINS = { 'libplain.so': 'libsasl2-modules' };

const NEEDED = { ...TOOLS, ...PLUGINS };
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin', ...pluginFolders()];

/** `sasl2` below each library folder: on Debian they are named by architecture. */
function pluginFolders() {
  const libraries = ['/usr/lib', '/usr/lib64', '/usr/local/lib'].filter(folder => existsSync(folder));
  return libraries.flatMap(folder => ['', ...readdirSync(folder)].map(name => join(folder, name, 'sasl2')));
}

function missing() {
  return Object.keys(NEEDED).filter(tool => !FOLDERS.some(folder => existsSync(join(folder, tool))));
}

/** Makes the tools available; tests of a tool that stays missing skip, and say so. */
export function requireTools() {
  let absent = missing();
  if (absent.length === 0) return;
  const packages = [...new Set(absent.map(tool => NEEDED[tool]))];
  const mayInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (mayInstall) {
    // Tests start servers of their own, on private ports and folders: neither init system shall start what a package brings.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', SYSTEMD_OFFLINE: '1' };
    run('updating the package list', 'apt-get', ['update', '-qq'], { env });
    run(`installing ${packages.join(', ')}`, 'apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
    absent = missing();
    if (absent.length === 0) return;
  }
  const how = existsSync('/usr/bin/apt-get') ? `apt-get install ${packages.join(' ')}` : `install ${packages.join(', ')}`;
  process.stderr.write(`postern: not found: ${absent.join(', ')}; the tests that need them are skipped. To run them: ${how}\n`);
}
