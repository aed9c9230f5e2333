/** A real Postfix of the test's own: private folders and port, started and stopped here. Needs root, because Postfix's master does. */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './ports.ts';

const run = promisify(execFile);
const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;

/** Why no Postfix can run here, for `t.test(name, {skip})`; false where one can. */
export function postfixMissing(): string | false {
  if (process.getuid?.() !== 0) return 'Postfix needs root';
  return ['/usr/sbin/postfix', '/usr/local/sbin/postfix'].some(path => existsSync(path)) ? false : 'postfix is not installed';
}

/** Why Postfix cannot log in anywhere, or false where it can: the mechanisms are a package of their own. */
export function saslMissing(): string | false {
  return saslFolders().some(folder => existsSync(join(folder, 'libplain.so'))) ? false : 'libsasl2-modules is not installed';
}

/** `/usr/lib/<architecture>/sasl2` on Debian, `/usr/lib/sasl2` or `/usr/lib64/sasl2` elsewhere. */
function saslFolders(): string[] {
  return ['/usr/lib', '/usr/lib64', '/usr/local/lib'].flatMap(lib =>
    existsSync(lib) ? [join(lib, 'sasl2'), ...readdirSync(lib).map(name => join(lib, name, 'sasl2'))] : [],
  );
}

export interface Postfix {
  readonly port: number;
  /** Tries everything in the queue again, now. */
  flush(): Promise<void>;
  /** Messages in the queue, as postqueue -j tells them. */
  queue(): Promise<readonly { queue_id: string; recipients: { address: string; delay_reason?: string }[] }[]>;
  log(): string;
  stop(): Promise<void>;
}

/**
 * Starts an instance that listens on a free port of 127.0.0.1 and relays for this machine. `settings` go into main.cf; `files` are written
 * beside it, where settings find them under `$config_directory/`.
 */
export async function startPostfix(
  settings: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): Promise<Postfix> {
  const home = mkdtempSync(join(tmpdir(), 'postern-postfix-'));
  // Postfix's own user must reach its queue below this folder.
  chmodSync(home, 0o755);
  const conf = join(home, 'etc');
  const port = await freePort();
  for (const folder of ['etc', 'queue', 'data', 'log']) mkdirSync(join(home, folder));
  execFileSync('chown', ['postfix', join(home, 'data')]);
  writeFileSync(join(conf, 'master.cf'), masterCf(port));
  writeFileSync(join(conf, 'main.cf'), mainCf(home, settings));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(conf, name), text);
  const postfix = (...args: string[]) => run('postfix', ['-c', conf, ...args], { env: { ...process.env, PATH, MAIL_LOGTAG: 'test' } });
  await postfix('start');
  await listening(port);
  return {
    port,
    async flush() {
      await run('postqueue', ['-c', conf, '-f'], { env: { ...process.env, PATH } });
    },
    async queue() {
      const { stdout } = await run('postqueue', ['-c', conf, '-j'], { env: { ...process.env, PATH } });
      return stdout
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line));
    },
    log: () => (existsSync(join(home, 'log/maillog')) ? readFileSync(join(home, 'log/maillog'), 'utf8') : ''),
    async stop() {
      await postfix('abort');
      // Processes that were just ended may still write.
      rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

function mainCf(home: string, settings: Readonly<Record<string, string>>): string {
  const all: Record<string, string> = {
    compatibility_level: '3.6',
    queue_directory: join(home, 'queue'),
    data_directory: join(home, 'data'),
    maillog_file: join(home, 'log/maillog'),
    maillog_file_prefixes: home,
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    myhostname: 'postfix.example',
    mydestination: '',
    mynetworks: '127.0.0.0/8',
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    // Everything in a test is on this machine: no DNS, no waiting.
    smtp_dns_support_level: 'disabled',
    smtp_host_lookup: 'native',
    minimal_backoff_time: '1s',
    maximal_backoff_time: '2s',
    queue_run_delay: '1s',
    in_flow_delay: '0',
    smtputf8_autodetect_classes: 'all',
    ...settings,
  };
  return Object.entries(all)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
}

/** qmgr wakes up each second: mail that it puts back to its incoming queue because a delivery agent still holds the lock waits for that, 300 s by default. */
function masterCf(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
}

async function listening(port: number): Promise<void> {
  const { connect } = await import('node:net');
  for (let i = 0; i < 100; i++) {
    const open = await new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.end('QUIT\r\n'));
    });
    if (open) return;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error('postfix did not start');
}
