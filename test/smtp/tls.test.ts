/** Certificates: made, loaded, exchanged under open sessions; TLS 1.2 at least; nothing carried over from before the handshake. */
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import t from 'tap';
import { systemClock } from '../../src/ops/clock.ts';
import { createLog } from '../../src/ops/log.ts';
import { findPair, readPair } from '../../src/smtp/certificate.ts';
import { TEST_CERTIFICATE } from '../support/certificate.ts';
import { dial, type SmtpClient } from '../support/smtp-client.ts';
import { listening } from './listening.ts';

const fingerprint = (client: SmtpClient) => (client.socket as TLSSocket).getPeerX509Certificate()?.fingerprint256;

function offered(port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400 && !(await condition()); i++) await new Promise(resolve => setTimeout(resolve, 25));
}

t.test('implicit TLS and STARTTLS side by side', async t => {
  const { listener, gate } = await listening(t, { listen: ['127.0.0.1:0', 'smtps://127.0.0.1:0'] });
  const [plain, implicit] = listener.addresses;
  t.match(
    [plain, implicit],
    [
      { host: '127.0.0.1', implicitTls: false },
      { host: '127.0.0.1', implicitTls: true },
    ],
  );
  const one = await dial(plain?.port ?? 0);
  await one.reply();
  await one.ask('EHLO client.example');
  t.equal(await one.starttls(), '220 2.0.0 Ready to start TLS');
  t.match(await one.ask('EHLO client.example'), /AUTH PLAIN LOGIN/);
  const two = await dial(implicit?.port ?? 0, { tls: true });
  t.equal((await two.reply()).text, '220 gate.example ESMTP Postern');
  t.match(await two.ask('EHLO client.example'), /AUTH PLAIN LOGIN/);
  t.match(await two.ask('STARTTLS'), /^503 5\.5\.1/);
  t.match(gate.peers[1], { secure: /^TLSv1\.3 TLS_/, protocol: 'ESMTPS' });
  const ours = new X509Certificate(TEST_CERTIFICATE.cert).fingerprint256;
  t.equal(fingerprint(one), ours, 'LIBRARIES 6: our certificate, not the published one');
  t.equal(await offered(implicit?.port ?? 0), ours);
  one.close();
  two.close();
});

t.test('TLS 1.1 is refused, TLS 1.2 works', async t => {
  const { listener } = await listening(t, { listen: 'smtps://127.0.0.1:0' });
  const port = listener.addresses[0]?.port ?? 0;
  const attempt = (version: 'TLSv1.1' | 'TLSv1.2') =>
    new Promise<string>(resolve => {
      const socket = connect(
        { port, host: '127.0.0.1', minVersion: version, maxVersion: version, rejectUnauthorized: false, ciphers: 'DEFAULT@SECLEVEL=0' },
        () => {
          resolve(socket.getProtocol() ?? 'none');
          socket.destroy();
        },
      );
      socket.on('error', error => resolve((error as NodeJS.ErrnoException).code ?? 'error'));
    });
  t.match(await attempt('TLSv1.1'), /ERR_SSL|ECONNRESET/);
  t.equal(await attempt('TLSv1.2'), 'TLSv1.2');
});

t.test('what was said in clear counts no longer', async t => {
  const { greeted, gate } = await listening(t);
  const client = await greeted();
  await client.ask('EHLO client.example');
  await client.ask('MAIL FROM:<a@sender.example>');
  await client.starttls();
  t.same(gate.events, ['connect', 'begin', 'end']);
  t.equal(await client.ask('RCPT TO:<b@there.example>'), '503 5.5.1 Send MAIL first');
  t.equal(await client.ask('MAIL FROM:<a@sender.example>'), '503 5.5.1 Send EHLO first');
});

t.test('commands in clear behind STARTTLS never run, in the same packet or the next', async t => {
  const { greeted, gate } = await listening(t);
  const together = await greeted();
  await together.ask('EHLO client.example');
  together.write('STARTTLS\r\nMAIL FROM:<evil@x.example>\r\n');
  t.equal((await together.rest()).trim(), '503 5.5.1 Nothing may follow STARTTLS unencrypted');
  const apart = await greeted();
  await apart.ask('EHLO client.example');
  t.equal(await apart.ask('STARTTLS'), '220 2.0.0 Ready to start TLS');
  apart.write('EHLO evil.example\r\nMAIL FROM:<evil@x.example>\r\n');
  await apart.rest();
  t.notOk(gate.events.includes('begin'));
  const again = await greeted();
  t.match(await again.ask('NOOP'), /^250/, 'a broken handshake harms nobody else');
});

t.test('a new certificate is taken up, by signal or by watching, and sessions stay; a broken one is not', async t => {
  const { greeted, folder, listener, logged } = await listening(t, { watchMs: 50 });
  const replace = async () => {
    const pair = await generate([{ name: 'commonName', value: 'gate.example' }], { keyType: 'ec', algorithm: 'sha256' });
    writeFileSync(join(folder, 'key.pem'), pair.private);
    writeFileSync(join(folder, 'cert.pem'), pair.cert);
    return new X509Certificate(pair.cert).fingerprint256;
  };
  const shown = async () => {
    const client = await dial(listener.addresses[0]?.port ?? 0);
    await client.reply();
    await client.starttls();
    const print = fingerprint(client);
    client.close();
    return print;
  };
  const old = await greeted();
  await old.starttls();
  await old.ask('EHLO client.example');
  const second = await replace();
  listener.reloadCertificates();
  await until(async () => (await shown()) === second);
  t.equal(await shown(), second);
  const third = await replace();
  await until(async () => (await shown()) === third);
  t.equal(await shown(), third, 'noticed without a signal');
  writeFileSync(join(folder, 'cert.pem'), TEST_CERTIFICATE.cert);
  listener.reloadCertificates();
  await until(() => logged.some(line => line.includes('is not usable')));
  t.equal(await shown(), third, 'a certificate without its key');
  t.match(logged.join(''), /no matching PEM certificate and key/);
  t.notMatch(logged.join(''), /BEGIN|PRIVATE/);
  t.match(await old.ask('NOOP'), /^250/, 'the session of the first certificate goes on');
});

t.test('first start: a self-signed pair for the host name, kept', async t => {
  const { folder, listener, logged, greeted } = await listening(t, { tls: {} });
  const client = await greeted();
  await client.starttls();
  const cert = new X509Certificate(readFileSync(join(folder, 'tls/self-signed.crt')));
  t.equal(fingerprint(client), cert.fingerprint256);
  t.equal(cert.checkHost('gate.example'), 'gate.example');
  t.equal(cert.checkHost('localhost'), 'localhost');
  t.equal(cert.checkIP('127.0.0.1'), '127.0.0.1');
  t.ok(Date.parse(cert.validTo) - Date.now() > 3000 * 86_400_000);
  t.equal(statSync(join(folder, 'tls/self-signed.key')).mode & 0o777, 0o600);
  t.equal(statSync(join(folder, 'tls')).mode & 0o077, 0);
  t.match(logged.join(''), /the certificate is self-signed/);
  await listener.stop(0);
  const log = createLog('silent');
  const files = await findPair({}, folder, 'gate.example', systemClock, log);
  t.equal(new X509Certificate((await readPair(files, systemClock, log)).cert).fingerprint256, cert.fingerprint256);
});

t.test('errors name the key and the fix; age is warned of', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'pair-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const lines: string[] = [];
  const log = createLog('info', { write: line => void lines.push(line) });
  const read = async (cert?: string, key?: string) =>
    readPair(await findPair({ cert, key }, folder, 'gate.example', systemClock, log), systemClock, log);
  await t.rejects(read('a.pem'), /^submission\.tls: cert and key belong together/);
  await t.rejects(read('a.pem', 'b.pem'), /submission\.tls\.(cert|key): .* cannot be read \(ENOENT\)/);
  writeFileSync(join(folder, 'a.pem'), TEST_CERTIFICATE.cert);
  writeFileSync(join(folder, 'b.pem'), 'no key');
  await t.rejects(read('a.pem', 'b.pem'), /submission\.tls: .*a\.pem and .*b\.pem are no matching PEM/);
  writeFileSync(join(folder, 'b.pem'), TEST_CERTIFICATE.key);
  t.ok(await read('a.pem', 'b.pem'));
  const rsa = await generate([{ name: 'commonName', value: 'gate.example' }], { keyType: 'rsa', keySize: 2048, algorithm: 'sha256' });
  writeFileSync(join(folder, 'rsa.pem'), rsa.private);
  await t.rejects(read('a.pem', 'rsa.pem'), /are no matching PEM/, 'OpenSSL alone would take a key of another kind');
  t.equal(lines.length, 0);
  const late = { now: () => Date.parse(new X509Certificate(TEST_CERTIFICATE.cert).validTo) - 3 * 86_400_000 };
  await readPair({ cert: join(folder, 'a.pem'), key: join(folder, 'b.pem') }, late, log);
  t.match(lines.join(''), /expires soon/);
});
