/** Other people's clients at our listener: swaks, openssl and nodemailer, with TLS and a login. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import t from 'tap';
import { PASSWORD } from '../support/open-gate.ts';
import { listening } from './listening.ts';

const found = (name: string) => (process.env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, name)));
const without = (name: string) => (found(name) ? {} : { skip: `${name} is not installed` });

function run(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise(resolve => {
    const child = execFile(command, args, { timeout: 15_000 }, (_error, stdout, stderr) => resolve(stdout + stderr));
    child.stdin?.end(input);
  });
}

const swaks = [
  '--server',
  '127.0.0.1',
  '--from',
  'a@sender.example',
  '--to',
  'b@there.example',
  '--helo',
  'client.example',
  '--body',
  'a body\n.\n..dots',
];

t.test('swaks: STARTTLS, PLAIN and LOGIN, implicit TLS, pipelined', without('swaks'), async t => {
  const { listener, gate } = await listening(t, { listen: ['127.0.0.1:0', 'smtps://127.0.0.1:0'] });
  const [plain, implicit] = listener.addresses.map(address => String(address.port));
  const login = ['--auth-user', 'user', '--auth-password', PASSWORD];
  const ways: string[][] = [
    ['--port', plain ?? ''],
    ['--port', plain ?? '', '--pipeline'],
    ['--port', plain ?? '', '-tls', '--auth', 'PLAIN', ...login],
    ['--port', plain ?? '', '-tls', '--auth', 'LOGIN', ...login],
    ['--port', implicit ?? '', '--tls-on-connect', '--auth', 'PLAIN', ...login],
  ];
  for (const way of ways) {
    const said = await run('swaks', [...swaks, ...way]);
    t.match(said, /250 2\.0\.0 Taken/, way.join(' '));
  }
  t.same(
    gate.taken.map(taken => taken.login),
    [undefined, undefined, 'user', 'user', 'user'],
  );
  t.ok(gate.taken.every(taken => /a body\r\n\.\r\n\.\.dots\r\n/.test(taken.octets.toString())));
});

t.test('openssl: the handshake behind STARTTLS', without('openssl'), async t => {
  const { port } = await listening(t);
  const said = await run(
    'openssl',
    ['s_client', '-connect', `127.0.0.1:${port}`, '-starttls', 'smtp', '-quiet', '-crlf'],
    'EHLO client.example\nQUIT\n',
  );
  t.match(said, /250 AUTH PLAIN LOGIN\r\n221 2\.0\.0 Bye/);
});

t.test('nodemailer: STARTTLS, a login, a message with dots', async t => {
  const { port, gate } = await listening(t);
  const client = new SMTPConnection({ host: '127.0.0.1', port, requireTLS: true, tls: { rejectUnauthorized: false } });
  const message = 'Subject: x\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n';
  await new Promise<void>((resolve, reject) => {
    client.on('error', reject);
    client.connect(() =>
      client.login({ user: 'user', credentials: { user: 'user', pass: PASSWORD } }, refused => {
        if (refused) return reject(refused);
        client.send({ from: 'a@sender.example', to: ['b@there.example'], size: message.length }, message, error =>
          error ? reject(error) : resolve(),
        );
      }),
    );
  });
  client.quit();
  t.equal(gate.taken[0]?.octets.toString(), message);
  t.match(gate.taken[0], { login: 'user', parameters: { size: message.length } });
});
