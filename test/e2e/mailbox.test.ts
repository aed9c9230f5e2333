/** A16, A17: an answer that lands in a salesperson's mailbox excludes the person at the next RCPT, at every gate; and the mailbox tells nobody. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import type { LoggedReply } from '../../src/journal/reply.ts';
import { ACME, type Acme, acmeSite } from '../support/acme.ts';
import { type Dovecot, dovecotMissing, PASSWORD, startDovecot } from '../support/dovecot.ts';
import { sendOne } from '../support/platform.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const CAROL = 'carol.pemberton@acme.example';
const skip = dovecotMissing();

function mailboxSettings(dovecot: Dovecot, password = PASSWORD): Readonly<Record<string, unknown>> {
  return { inbound: { mailboxes: [{ name: 'carol', url: dovecot.url(CAROL, password), client: 'acme', pollSeconds: 5 }] } };
}

function answer(to: string, id: string, words: string): string {
  return `Return-Path: <${to}>
From: Pat <${to}>
To: ${CAROL}
Subject: Re: Widgets for your line
Message-ID: <answer-to-${id}@widgets.example>
In-Reply-To: <${id}@mailer.example>
Date: Mon, 01 Jun 2026 12:00:00 +0000

${words}
`;
}

t.test('A16, A17: read, logged and enforced, and unread for its owner as before; nothing in clear', { skip }, async t => {
  const dovecot = await startDovecot(t);
  const all = await acmeSite(t, mailboxSettings(dovecot));
  const { site } = all;
  const gate = await site.serve();
  const [pat, lou] = ['pat.quimby@widgets.example', 'lou@widgets.example'];
  const sent = await sendOne(gate.port, pat);
  t.match(sent, { reply: /^250/ });
  await dovecot.append(CAROL, answer(pat, sent.id, 'Thank you, but please remove me from your list.'));
  const refused = await until('refused', async () => {
    const told = await sendOne(gate.port, pat);
    return told.reply.startsWith('250') ? false : told;
  });
  t.match(refused, { stage: 'rcpt', reply: /^550 5\.7\.1 / });
  t.match(await sendOne(gate.port, lou), { reply: /^250/ }, 'nobody else is');
  await until('the mark', async () => (await dovecot.stored(CAROL))[0]?.flags.length === 1);
  t.same((await dovecot.stored(CAROL))[0]?.flags, ['$PosternProcessed']);

  // Restarted, renumbered, and without marks to tell by: the message is read again, and it is the same one.
  t.equal(await gate.stop(), 0);
  dovecot.forbidKeywords(CAROL);
  await dovecot.setUidValidity(CAROL, 4_000_000_000);
  await dovecot.append(CAROL, answer(lou, 'unknown', 'Interesting, tell me more.'));
  const again = await site.serve();
  await until('the second one', async () => !(await sendOne(again.port, lou)).reply.startsWith('250'));
  const log = await logOf(all);
  t.same(
    log.map(({ kind, via }) => [kind, via]),
    [
      ['opt-out', 'mailbox:carol'],
      ['reply', 'mailbox:carol'],
    ],
    'each is logged once',
  );
  t.equal(await again.stop(), 0);
  const logs = gate.log() + again.log();
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), CAROL, pat]) t.notOk(logs.includes(secret), 'not in the log');
  for (const secret of [PASSWORD, 'pemberton', 'quimby']) t.equal(countInFiles(site.dir, secret), 0, `${secret}: not in the store`);
});

t.test('law 4, A17: two gates with one mailbox: refused at both, logged once', { skip: skip || noRedis }, async t => {
  const dovecot = await startDovecot(t);
  const redis = await startRedis(t);
  const all = await acmeSite(t, { store: { url: redis.url }, ...mailboxSettings(dovecot) });
  const gates = [await all.site.serve(), await all.site.serve()] as const;
  const pat = 'pat@widgets.example';
  const sent = await sendOne(gates[0].port, pat);
  await dovecot.append(CAROL, answer(pat, sent.id, 'Bitte nehmen Sie mich aus dem Verteiler.'));
  for (const { port } of gates) await until('refused', async () => /^550 5\.7\.1 /.test((await sendOne(port, pat)).reply));
  t.equal((await logOf(all)).length, 1);
});

t.test('A17: a mailbox that cannot be read raises an alarm and counts as pending', { skip }, async t => {
  const dovecot = await startDovecot(t);
  const { site, house } = await acmeSite(t, mailboxSettings(dovecot, 'stale'));
  const before = Date.now();
  const gate = await site.serve();
  await until('the alarm', () => /"alarm":"mailbox-unreadable"/.test(gate.log()));
  t.equal(await gate.stop(), 0, 'and the gate goes on all the same');
  const [noted] = await house(({ pending }) => pending.read());
  t.equal(noted?.source, 'mailbox:carol');
  t.ok((noted?.unreadableSince ?? 0) >= before);
  t.notMatch(gate.log(), /stale/);
});

/** The oldest first. */
async function logOf({ house }: Acme): Promise<readonly LoggedReply[]> {
  return house(async ({ replies }) => {
    const lines: LoggedReply[] = [];
    for await (const line of replies.list(ACME)) lines.unshift(line);
    return lines;
  });
}

/** Files below the folder that hold the text, but for the configuration. */
function countInFiles(folder: string, text: string): number {
  try {
    return execFileSync('grep', ['-rlaF', '--exclude=postern.yaml', text, folder]).toString().trim().split('\n').length;
  } catch (error) {
    if ((error as { status?: number }).status === 1) return 0;
    throw error;
  }
}
