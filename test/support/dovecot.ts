/** A real Dovecot of a test's own: private folders and ports, frozen, restarted and taken apart at will. Needs root, because its processes change users. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ImapFlow } from 'imapflow';
import { TEST_CERTIFICATE } from './certificate.ts';
import { freePort } from './ports.ts';
import { until } from './until.ts';

const run = promisify(execFile);
const PROGRAM = ['/usr/sbin/dovecot', '/usr/local/sbin/dovecot'].find(path => existsSync(path));

/** Why no Dovecot can run here, for `t.test(name, {skip})`; false where one can. */
export function dovecotMissing(): string | false {
  if (process.getuid?.() !== 0) return 'Dovecot needs root';
  return PROGRAM === undefined ? 'dovecot-imapd is not installed' : false;
}

export const PASSWORD = 'p@ss/word';

const TOKEN_KEY = 'a key of tests, which protects nothing';

/** An OAuth 2.0 access token (a JWT, RFC 7519) that lets the user in until then; ms since 1970 UTC. */
export function accessToken(user: string, until: number): string {
  const part = (content: object) => Buffer.from(JSON.stringify(content)).toString('base64url');
  const claims = { sub: user, email: user, iat: Math.floor(Date.now() / 1000) - 60, exp: Math.floor(until / 1000) };
  const signed = `${part({ typ: 'JWT', alg: 'HS256', kid: 'default' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', TOKEN_KEY).update(signed).digest('base64url')}`;
}

/** One message as the server has it. */
export interface Stored {
  readonly uid: number;
  readonly flags: readonly string[];
}

export interface Dovecot {
  /** Clear, or STARTTLS. */
  readonly port: number;
  /** TLS from the first octet; the certificate is TEST_CERTIFICATE. */
  readonly tlsPort: number;
  /** `imap://…?starttls=off` for a user: every name has a mailbox. */
  url(user: string, password?: string): string;
  /** Stores a message; resolves to its UID. `at`: its INTERNALDATE. */
  append(user: string, message: string | Buffer, more?: { readonly folder?: string; readonly at?: Date }): Promise<number>;
  stored(user: string, folder?: string): Promise<readonly Stored[]>;
  expunge(user: string, uid: number, folder?: string): Promise<void>;
  createFolder(user: string, folder: string): Promise<void>;
  setUidValidity(user: string, value: number, folder?: string): Promise<void>;
  /** Only \Seen may be set in this user's folders from the next login on. */
  forbidKeywords(user: string): void;
  /** How often somebody logged in, as the log says. */
  logins(): number;
  log(): string;
  /** SIGSTOP: connections stay, answers stop. */
  freeze(): void;
  thaw(): void;
  /** Ends the processes of all sessions, in the middle of whatever they do. */
  hangUp(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

export async function startDovecot(t: { teardown(done: () => Promise<void>): unknown }): Promise<Dovecot> {
  const home = mkdtempSync(join(tmpdir(), 'postern-dovecot-'));
  const [port, tlsPort] = [await freePort(), await freePort()];
  // Its own users must reach what lies below.
  chmodSync(home, 0o755);
  for (const folder of ['run', 'mail', 'acl']) mkdirSync(join(home, folder));
  execFileSync('chown', ['dovecot:dovecot', join(home, 'mail')]);
  writeFileSync(join(home, 'key.pem'), TEST_CERTIFICATE.key);
  writeFileSync(join(home, 'cert.pem'), TEST_CERTIFICATE.cert);
  // Access tokens are checked here, with a key by which accessToken signs them.
  mkdirSync(join(home, 'token-keys/default/HS256'), { recursive: true });
  writeFileSync(join(home, 'token-keys/default/HS256/default'), Buffer.from(TOKEN_KEY).toString('base64'));
  writeFileSync(join(home, 'oauth2.conf'), `introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix=${home}/token-keys/\n`);
  const conf = join(home, 'dovecot.conf');
  writeFileSync(conf, configuration(home, port, tlsPort));
  let master = await start(conf, port);
  const doveadm = (...args: string[]) => run('doveadm', ['-c', conf, ...args]);
  const log = () => (existsSync(join(home, 'log')) ? readFileSync(join(home, 'log'), 'utf8') : '');
  const signal = (name: NodeJS.Signals) => void process.kill(-(master.pid as number), name);

  const session = async <T>(user: string, folder: string | undefined, act: (client: ImapFlow) => Promise<T>): Promise<T> => {
    const auth = { user, pass: PASSWORD };
    const client = new ImapFlow({ host: '127.0.0.1', port, secure: false, doSTARTTLS: false, auth, logger: false, disableAutoIdle: true });
    client.on('error', () => undefined);
    await client.connect();
    try {
      if (folder !== undefined) await client.mailboxOpen(folder);
      return await act(client);
    } finally {
      await client.logout();
    }
  };

  const dovecot: Dovecot = {
    port,
    tlsPort,
    url: (user, password = PASSWORD) => `imap://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${port}?starttls=off`,
    append: (user, message, { folder = 'INBOX', at } = {}) =>
      session(user, undefined, async client => {
        const done = await client.append(folder, Buffer.isBuffer(message) ? message : message.replace(/\r?\n/g, '\r\n'), [], at);
        if (!done || done.uid === undefined) throw new Error('APPEND refused');
        return done.uid;
      }),
    stored: (user, folder = 'INBOX') =>
      session(user, folder, async client => {
        const found = client.mailbox !== false && client.mailbox.exists > 0 ? await client.fetchAll('1:*', { uid: true, flags: true }) : [];
        // \Recent is the session's, not the message's.
        return found.map(({ uid, flags }) => ({ uid, flags: [...(flags ?? [])].filter(flag => flag !== '\\Recent') }));
      }),
    expunge: (user, uid, folder = 'INBOX') =>
      session(user, folder, async client => void (await client.messageDelete(String(uid), { uid: true }))),
    createFolder: (user, folder) => session(user, undefined, async client => void (await client.mailboxCreate(folder))),
    async setUidValidity(user, value, folder = 'INBOX') {
      // Whatever forbidKeywords forbade.
      await doveadm('-o', 'mail_plugins=', 'mailbox', 'update', '-u', user, '--uid-validity', String(value), folder);
    },
    forbidKeywords(user) {
      writeFileSync(join(home, 'acl/global'), `* user=${user} lrsi\n`);
    },
    logins: () => (log().match(/imap-login: Info: Login:/g) ?? []).length,
    log,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async hangUp() {
      await doveadm('kick', '*').catch(() => undefined); // it fails where nobody is logged in
    },
    async kill() {
      if (master.exitCode !== null || master.signalCode !== null) return;
      const exit = once(master, 'exit');
      signal('SIGKILL');
      await exit;
    },
    async restart() {
      await dovecot.kill();
      master = await start(conf, port);
    },
  };
  t.teardown(async () => {
    await dovecot.kill();
    rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  return dovecot;
}

async function start(conf: string, port: number): Promise<ChildProcess> {
  // A process group of its own, so that a signal reaches every process of it and nobody else.
  const master = spawn(PROGRAM as string, ['-c', conf, '-F'], { stdio: 'ignore', detached: true });
  await until('Dovecot listens', async () => {
    if (master.exitCode !== null) throw new Error(`Dovecot ended with ${master.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    try {
      const [greeting] = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
      return String(greeting).startsWith('* OK');
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  });
  return master;
}

function configuration(home: string, port: number, tlsPort: number): string {
  return `
base_dir = ${home}/run
state_dir = ${home}/run
log_path = ${home}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <${home}/cert.pem
ssl_key = <${home}/key.pem
ssl_dh =
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login xoauth2
first_valid_uid = 1
mail_uid = dovecot
mail_gid = dovecot
mail_location = maildir:${home}/mail/%u
mail_max_userip_connections = 100
mail_plugins = acl
passdb {
  driver = oauth2
  mechanisms = xoauth2
  args = ${home}/oauth2.conf
}
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = uid=dovecot gid=dovecot home=${home}/mail/%u
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    special_use = \\Sent
    auto = create
  }
}
plugin {
  acl = vfile:${home}/acl/global:cache_secs=0
}
service imap-login {
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${tlsPort}
    ssl = yes
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`;
}
