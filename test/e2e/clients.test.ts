/** Other people's mail programs send through a gate process and a Postfix upstream: every octet below the Received fields arrives as it was sent. */
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createTransport } from 'nodemailer';
import t, { type Test } from 'tap';
import { type Chain, hasId, startChain, takeOff } from '../support/chain.ts';
import { type Canonicalization, signDkim, verifyDkim } from '../support/dkim.ts';
import { international, type Sample, samples, withAttachment } from '../support/octets.ts';
import { type Postfix, postfixMissing, saslMissing, startPostfix } from '../support/postfix.ts';
import { dial } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

const ANN = 'ann@acme.example';
const BOB = 'bob@there.example';
const MEGABYTE = 1_000_000;
const found = (name: string) => (process.env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, name)));
const without = (name: string) => (found(name) ? {} : { skip: `${name} is not installed` });

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const WAYS: readonly Canonicalization[] = ['simple', 'relaxed'];

/** The samples, each with a DKIM signature; the four pairs of canonicalisations take turns. */
function signed(all: readonly Sample[]): readonly Sample[] {
  const fields = ['From', 'To', 'Subject', 'Date', 'Message-ID', 'MIME-Version', 'Subject'];
  return all.map((sample, i) => {
    const [header = 'simple', body = 'simple'] = [WAYS[i % 2], WAYS[(i >> 1) % 2]];
    return { ...sample, octets: signDkim(sample.octets, { privateKey, header, body, fields }) };
  });
}

interface Way {
  /** Received fields that are put on top. */
  readonly hops: number;
  /** How Postern's own names the session with it (RFC 3848). */
  readonly protocol: string;
}

/** Waits for each sample at the far end, and holds it against what was sent. */
async function same(t: Test, chain: Chain, sent: readonly Sample[], { hops, protocol }: Way): Promise<void> {
  for (const { name, id, octets, from = ANN, to = BOB, arrivesAt = to } of sent) {
    const transaction = await chain.arrived(name, hasId(id));
    const { received, below } = takeOff(transaction.octets, hops);
    if (!below.equals(octets)) t.equal(below.toString('latin1'), octets.toString('latin1'), `${name}: the octets are those sent`);
    t.equal(verifyDkim(transaction.octets, publicKey), 'pass', `${name}: arrived, and its signature verifies`);
    t.match(received[1], new RegExp(`^Received: from \\S+ \\(\\[127\\.0\\.0\\.1\\]\\)\r\n\tby gate\\.example with ${protocol} id `), name);
    t.same([transaction.from, transaction.to], [from, [arrivesAt]], `${name}: the envelope`);
    t.equal(chain.sink.transactions.filter(hasId(id)).length, 1, `${name}: once`);
  }
}

function run(command: string, args: readonly string[]): Promise<{ readonly code: number | null; readonly said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', chunk => {
        said += chunk;
      });
    }
    child.on('error', reject).on('close', code => resolve({ code, said }));
  });
}

/** Sends over an SMTP session of Postfix's own; what is sent is known to the octet. */
async function inject(postfix: Postfix, sent: readonly Sample[]): Promise<void> {
  const client = await dial(postfix.port);
  await client.reply();
  await client.ask('EHLO localhost');
  for (const { octets, utf8, from = ANN, to = BOB } of sent) {
    const path = Buffer.from(`MAIL FROM:<${from}> BODY=8BITMIME${utf8 ? ' SMTPUTF8' : ''}\r\nRCPT TO:<${to}>\r\nDATA\r\n`);
    client.write(path);
    const replies = [await client.reply(), await client.reply(), await client.reply()];
    if (replies[2]?.code !== 354) throw new Error(replies.map(({ text }) => text).join(' | '));
    client.write(Buffer.from(`${octets.toString('latin1').replace(/^\./gm, '..')}.\r\n`, 'latin1'));
    const taken = await client.reply();
    if (taken.code !== 250) throw new Error(taken.text);
  }
  client.close();
}

const PYTHON = `
import json, smtplib, ssl, sys
job = json.loads(sys.argv[1])
tls = ssl.create_default_context(cafile=job['ca'])
with smtplib.SMTP('127.0.0.1', job['port']) as server:
    server.starttls(context=tls)
    server.login(job['user'], job['password'])
    for mail in job['mails']:
        with open(mail['file'], 'rb') as file:
            print(server.sendmail(mail['from'], mail['to'], file.read(), mail['options']))
`;

t.test('real programs, a real gate, a real upstream', { skip: postfixMissing() }, async t => {
  const chain = await startChain(t);
  const [starttls = 0, implicit = 0] = chain.gate.ports;
  const ca = join(chain.site.dir, 'tls/self-signed.crt');
  // Messages without text cannot hold a privacy link: what is asked here is what becomes of octets.
  const password = await chain.credential('octets', '--policy', 'transactional');
  const file = (id: string, octets: Buffer): string => {
    const path = join(chain.site.dir, `${id}.eml`);
    writeFileSync(path, octets);
    return path;
  };

  await t.test('swaks: PLAIN and LOGIN under STARTTLS, pipelined, implicit TLS', without('swaks'), async t => {
    const ways: readonly (readonly string[])[] = [
      ['--port', `${starttls}`, '-tls', '--auth', 'PLAIN'],
      ['--port', `${starttls}`, '-tls', '--auth', 'LOGIN'],
      ['--port', `${starttls}`, '-tls', '--auth', 'PLAIN', '--pipeline'],
      ['--port', `${implicit}`, '--tls-on-connect', '--auth', 'LOGIN'],
    ];
    const login = ['--auth-user', 'octets', '--auth-password', password];
    // swaks mends what ends in a lone dot or has no body.
    const sent = signed(samples('swaks').filter(({ id }) => !/dots|empty/.test(id)));
    await Promise.all(
      ways.map(async (way, i) => {
        for (const sample of sent.filter((_, j) => j % ways.length === i)) {
          // swaks ends the last line itself.
          const path = file(sample.id, sample.octets.subarray(0, -2));
          const mail = ['--from', ANN, '--to', BOB, '--helo', 'client.example', '--data', `@${path}`];
          const { code, said } = await run('swaks', ['--server', '127.0.0.1', ...way, ...login, ...mail]);
          t.equal(code, 0, code === 0 ? `${way.join(' ')}: ${sample.name}` : said);
        }
      }),
    );
    await same(t, chain, sent, { hops: 2, protocol: 'ESMTPSA' });
    const { said } = await run('swaks', ['--server', '127.0.0.1', '--port', `${starttls}`, '--from', ANN, '--to', BOB]);
    t.match(said, /<\*\* 530 5\.7\.0 /, 'nothing without a login');
  });

  await t.test("Python's smtplib: a verified STARTTLS, a login, several mails a session, 100 recipients", without('python3'), async t => {
    const sent = signed([...samples('python'), international('python'), withAttachment('python', MEGABYTE)]);
    const mails = sent.map(sample => ({
      file: file(sample.id, sample.octets),
      from: sample.from ?? ANN,
      to: [sample.to ?? BOB],
      options: ['BODY=8BITMIME', ...(sample.utf8 ? ['SMTPUTF8'] : [])],
    }));
    const hundred = Array.from({ length: 100 }, (_, i) => `person${i}@there.example`);
    const [batch] = signed(samples('batch').slice(1, 2));
    if (batch === undefined) throw new Error('no sample');
    mails.push({ file: file(batch.id, batch.octets), from: ANN, to: hundred, options: [] });
    const { code, said } = await run('python3', ['-c', PYTHON, JSON.stringify({ ca, port: starttls, user: 'octets', password, mails })]);
    t.equal(code, 0, said);
    t.equal(said, '{}\n'.repeat(mails.length), 'nobody was refused');
    await same(t, chain, sent, { hops: 2, protocol: 'ESMTPSA' });
    const taken = () => chain.sink.messages.filter(hasId(batch.id));
    await until('100 recipients at the far end', () => taken().flatMap(({ to }) => to).length >= 100);
    t.same(
      taken()
        .flatMap(({ to }) => to)
        .sort(),
      [...hundred].sort(),
      'each of 100 once',
    );
    for (const { octets } of taken()) t.ok(takeOff(octets, 2).below.equals(batch.octets));
  });

  await t.test('nodemailer: a pool, 10 MB, and its own DKIM signature', async t => {
    const transport = createTransport({
      pool: true,
      maxConnections: 3,
      host: '127.0.0.1',
      port: starttls,
      requireTLS: true,
      tls: { rejectUnauthorized: false },
      auth: { user: 'octets', pass: password },
    });
    const sent = signed([...samples('nodemailer'), withAttachment('nodemailer', 10 * MEGABYTE)]);
    const answers = await Promise.all(sent.map(({ octets }) => transport.sendMail({ envelope: { from: ANN, to: BOB }, raw: octets })));
    t.ok(answers.every(({ response }) => response.startsWith('250 ')));
    await same(t, chain, sent, { hops: 2, protocol: 'ESMTPSA' });

    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await transport.sendMail({
      from: { name: 'Ann Archer', address: ANN },
      to: BOB,
      subject: 'Grüße: composed and signed by nodemailer',
      messageId: '<nodemailer-composed@acme.example>',
      text: '.\n..\nGrüße  \nhttps://www.acme.example/privacy\n\n\n',
      html: `<p>Grüße</p>${'<p>one long line</p>'.repeat(500)}`,
      attachments: [{ filename: 'größe.bin', content: Buffer.alloc(MEGABYTE, 'x') }],
      dkim: { domainName: 'acme.example', keySelector: 'test', privateKey: key },
    });
    transport.close();
    const { octets } = await chain.arrived('the composed message', hasId('nodemailer-composed'));
    t.equal(verifyDkim(octets, publicKey), 'pass');
    const spoilt = Buffer.from(octets);
    spoilt[spoilt.length - 10] = 0x21;
    t.equal(verifyDkim(spoilt, publicKey), 'body hash differs', 'and would not, had one octet changed');
  });

  await t.test('Postfix: relayhost with SASL over verified TLS, and without a password by its address', async t => {
    const settings = {
      relayhost: `[127.0.0.1]:${starttls}`,
      message_size_limit: '30000000',
      // As a Postfix in between would: no header is mended for strangers.
      local_header_rewrite_clients: '',
      smtp_tls_security_level: 'secure',
      smtp_tls_secure_cert_match: 'gate.example',
      smtp_tls_CAfile: ca,
    };
    const login = {
      smtp_sasl_auth_enable: 'yes',
      smtp_sasl_security_options: 'noanonymous',
      smtp_sasl_password_maps: 'texthash:$config_directory/sasl',
    };
    const sasl = { sasl: `[127.0.0.1]:${starttls} octets:${password}\n` };
    const [known, named] = await Promise.all([startPostfix(settings), startPostfix({ ...settings, ...login }, sasl)]);
    t.teardown(() => Promise.all([known.stop(), named.stop()]));
    await t.test('SASL', { skip: saslMissing() }, async t => {
      const sent = signed([...samples('sasl'), international('sasl'), withAttachment('sasl', 10 * MEGABYTE)]);
      await inject(named, sent);
      await same(t, chain, sent, { hops: 3, protocol: 'ESMTPSA' });
    });
    await t.test('IP address', async t => {
      await chain.credential('robot', '--ip', '127.0.0.1/32', '--no-password', '--policy', 'transactional');
      const sent = signed([...samples('address'), international('address')]);
      await inject(known, sent);
      await same(t, chain, sent, { hops: 3, protocol: 'ESMTPS' });
    });
    t.same([...(await known.queue()), ...(await named.queue())], [], 'nothing is left behind');
  });

  await t.test('a raw client: a last line without an end, a header without a body', async t => {
    const client = await dial(implicit, { tls: true });
    t.teardown(() => client.close());
    await client.reply();
    await client.ask('EHLO client.example');
    t.match(await client.ask(`AUTH PLAIN ${Buffer.from(`\0octets\0${password}`).toString('base64')}`), /^235 /);
    const [first, second] = [samples('raw')[0]?.octets.toString('latin1') ?? '', samples('bare')[0]?.octets.toString('latin1') ?? ''];
    const endless = first.slice(0, -2);
    const bare = second.slice(0, second.indexOf('\r\n\r\n'));
    for (const text of [endless, bare]) {
      for (const line of [`MAIL FROM:<${ANN}>`, `RCPT TO:<${BOB}>`, 'DATA']) t.match(await client.ask(line), /^[23]5/);
      t.match(await client.ask(`${text}\r\n.`), /^250 /);
    }
    const arrived = async (id: string) => takeOff((await chain.arrived(id, hasId(id))).octets, 2).below.toString('latin1');
    t.equal(await arrived('raw-plain'), `${endless}\r\n`, 'SMTP ends the last line');
    t.equal((await arrived('bare-plain')).replace(/(?:\r\n)+$/, ''), bare);
  });

  t.same(await chain.upstream.queue(), [], 'the upstream has nothing left');
  t.notMatch(chain.gate.log(), /"level":(?:50|60)/, 'the gate logged no error');
});
