/** A salesperson answers who replied: under a conversation credential, through the real gate, and nobody else (What the two statements force, 1). */
import t from 'tap';
import { acmeSite, person } from '../support/acme.ts';
import { bring, plainAnswer } from '../support/bringing.ts';
import { campaignMail, sendOne } from '../support/platform.ts';
import type { RunningGate } from '../support/site.ts';
import { dial } from '../support/smtp-client.ts';

const SALES = 'sales@acme.example';
const ANN = 'ann@there.example';
const BOB = 'bob@there.example';
const REFUSED = /^550 5\.7\.1 Recipient may not be mailed \(conversation\) ref=/;

/** What a salesperson's mail program sends: no privacy link, no way to opt out. */
function answer(inReplyTo: readonly string[]): string {
  const fields = ['From: Sam <sam@acme.example>', 'To: ann@there.example', 'Subject: Re: Widgets', 'Message-ID: <sam-1@acme.example>'];
  return [...fields, ...inReplyTo.map(id => `In-Reply-To: ${id}`), '', 'Monday at ten suits me.', ''].join('\r\n');
}

/** The replies to RCPT and to the final dot, of a session with a password. */
async function sam(gate: RunningGate, password: string, to: readonly string[], message: string) {
  const client = await dial(gate.port);
  try {
    await client.reply();
    await client.ask('EHLO laptop.acme.example');
    await client.starttls();
    await client.ask('EHLO laptop.acme.example');
    const auth = await client.ask(`AUTH PLAIN ${Buffer.from(`\0sam\0${password}`).toString('base64')}`);
    if (!auth.startsWith('235')) throw new Error(auth);
    const mail = await client.ask('MAIL FROM:<sam@acme.example>');
    const rcpts: string[] = [];
    for (const one of to) rcpts.push(await client.ask(`RCPT TO:<${one}>`));
    const data = await client.ask('DATA');
    if (!data.startsWith('354')) return { mail, rcpts, dot: data };
    client.write(`${message}.\r\n`);
    return { mail, rcpts, dot: (await client.reply()).text };
  } finally {
    client.close();
  }
}

t.test('A17: whoever replied gets the answer and no campaign mail; whoever did not, or objected since, gets nothing', async t => {
  const all = await acmeSite(t, { inbound: { domains: ['in.acme.example'] } });
  await all.run('client', 'update', 'acme', '--reply-address', SALES);
  const added = await all.run('credential', 'add', 'acme', 'sam', '--policy', 'conversation', '--json');
  const { password } = JSON.parse(added) as { password: string };
  const gate = await all.site.serve();
  for (const to of [ANN, BOB]) t.match(await sendOne(gate.port, to), { reply: /^250/ });
  const wrote = (from: string, id: string, text: string) =>
    bring(gate.inboundPort, from, [SALES], plainAnswer({ from, to: SALES, text, id, inReplyTo: '<m1@mailer.example>' }));
  t.match(await wrote(ANN, 'ann-1', 'Interesting, call me on Monday.'), { last: /^250/ });
  const taken = () => all.sink.messages.filter(({ from }) => from.startsWith('sam@')).map(({ to }) => to.join());

  t.match(await sendOne(gate.port, ANN), { reply: /^550 5\.7\.1 .*\(excluded\)/ }, 'no more of the campaign');
  t.match(await sam(gate, password, [ANN], answer(['<ann-1@there.example>'])), { rcpts: [/^250/], dot: /^250/ });
  t.same(taken(), [ANN]);
  for (const [what, to, message] of [
    ['somebody else', BOB, answer(['<ann-1@there.example>'])],
    ['a message that was never logged', ANN, answer(['<ann-2@there.example>'])],
    ['no message at all', ANN, answer([])],
    ['two messages', ANN, answer(['<ann-1@there.example> <ann-2@there.example>'])],
    ['campaign mail', ANN, campaignMail('again', ANN).replaceAll('sales@acme.example', 'sam@acme.example')],
  ] as const) {
    t.match(await sam(gate, password, [to], message), { rcpts: [/^250/], dot: REFUSED }, what);
  }
  t.same(taken(), [ANN]);

  // In Cc: who did not write is told of by a delivery report, the answer goes on.
  t.match(await sam(gate, password, [BOB, ANN], answer(['<ann-1@there.example>'])), { dot: /^250/ });
  t.same(taken(), [ANN, ANN]);
  t.match(
    all.sink.messages.find(({ from, to }) => from === '' && to.includes('sam@acme.example'))?.octets.toString(),
    /Final-Recipient: rfc822; ?bob@there\.example/,
  );

  // Another reason to leave them alone than that they replied.
  await all.house(({ lists }) => lists.add({ owner: 'global' }, person(ANN), { reason: 'manual', source: 'operator' }));
  t.match(await sam(gate, password, [ANN], answer(['<ann-1@there.example>'])), { rcpts: [/^550 5\.7\.1 .*\(excluded\)/] });
  await all.run('list', 'remove', 'global', ANN);
  t.match(await sam(gate, password, [ANN], answer(['<ann-1@there.example>'])), { dot: /^250/ });
  t.match(await wrote(ANN, 'ann-3', 'Please take me off your list.'), { last: /^250/ });
  for (const id of ['<ann-1@there.example>', '<ann-3@there.example>']) {
    t.match(await sam(gate, password, [ANN], answer([id])), { rcpts: [/^550 5\.7\.1 .*\(suppressed\)/] }, 'objected since');
  }
  t.equal(taken().length, 3);
});
