/** Words below a message of ours that no mark sets apart: they may be the person's, so somebody looks; our own never count. */
import t from 'tap';
import { loadClassifier } from '../../src/inbound/classify.ts';
import { footerLines, isTelling, spellLine } from '../../src/mail/footer.ts';
import { parseMessage } from '../../src/mail/message.ts';

const classifier = loadClassifier();
const OURS = `Hello Jane,

would a short call next week suit you?
Just answer with two times that do.

Best regards
Ann

Acme Ltd, 1 High Street, Sometown
You get this mail because your company is listed in the trade register.
If you do not want to hear from us again, answer with remove me, or
unsubscribe here: https://acme.example/u/1
Unsubscribe`;

/** As a send remembers its last lines. */
function sentOf(text: string): (line: string, beside?: boolean) => boolean {
  const known = new Set(footerLines([{ type: 'text/plain', text }]).map(spellLine));
  return (line, beside = false) => known.has(spellLine(line)) && (beside || isTelling(spellLine(line)));
}

function classified(body: string, { headers = '', known = true } = {}) {
  const text = body.replaceAll('\n', '\r\n');
  const octets = Buffer.from(`From: Jane <jane@widgets.example>\r\nSubject: Re: A call\r\n${headers}\r\n${text}\r\n`);
  return classifier.classify(parseMessage(octets), known ? { sent: sentOf(OURS) } : {});
}

const HEAD = '-----Original Message-----\nFrom: Ann <ann@acme.example>\nSent: Monday, 2 March 2026 10:00\nTo: Jane\nSubject: A call\n\n';
const ATTRIBUTION = 'On Mon, 2 Mar 2026 at 10:00, Ann <ann@acme.example> wrote:\n\n';
const REFILLED = OURS.replace('remove me, or\nunsubscribe', 'remove me, or unsubscribe');

for (const [name, body] of [
  ['below a header block', `${HEAD}${OURS}\n\nPlease take me off your list.`],
  ['below an attribution', `${ATTRIBUTION}${OURS}\n\nBitte keine weiteren E-Mails mehr.`],
  ['without a blank line between', `${HEAD}${OURS}\nPlease stop emailing me.`],
  ['the very words of our last line', `${HEAD}${OURS}\n\nunsubscribe`],
  ['below a footer filled anew', `${HEAD}${REFILLED}\n\nPlease take me off your list.`],
] as const) {
  t.test(`law 6: an opt-out ${name} is doubt`, async t => {
    t.match(classified(body), { kind: 'review', ownText: body.slice(body.lastIndexOf('\n') + 1) });
  });
}

for (const [name, body, options] of [
  ['nothing below', `${HEAD}${OURS}`, {}],
  ['nothing below, filled anew', `${HEAD}${REFILLED}`, {}],
  ['a blank and a name', `${ATTRIBUTION}${OURS}\n\n\nJane`, {}],
  ['other words below', `${HEAD}${OURS}\n\nTuesday at ten is fine.`, {}],
  ['an older quote below', `${HEAD}${OURS}\n\n> Please take me off your list.`, {}],
  ['a message that is not known', `${HEAD}${OURS}`, { known: false }],
  ['a forward of somebody else’s mail', `${HEAD}The board has met.\n\nUnsubscribe from this list: https://list.example/`, {}],
] as const) {
  t.test(`none of our words counts: ${name}`, async t => {
    t.match(classified(body, options), { kind: 'reply', ownText: '' });
  });
}

t.test('words of their own above are enough', async t => {
  t.match(classified(`Tuesday at ten is fine.\n\n${HEAD}${OURS}\n\nPlease take me off your list.`), { kind: 'reply' });
});

t.test('of what is proved automatic nothing counts', async t => {
  const found = classified(`${HEAD}${OURS}\n\nPlease take me off your list.`, { headers: 'Auto-Submitted: auto-replied\r\n' });
  t.match(found, { kind: 'auto-reply' });
});
