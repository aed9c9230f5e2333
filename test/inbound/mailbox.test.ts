/** Mailboxes on a real Dovecot: what lies there is processed once, in order, and nothing in the mailbox changes but a keyword. */
import t from 'tap';
import { KEYWORD } from '../../src/inbound/mailbox-folder.ts';
import { ACME } from '../journal/desk.ts';
import { dovecotMissing } from '../support/dovecot.ts';
import { until } from '../support/until.ts';
import { letter, newRoom, seen, USER } from './reading-room.ts';

const HOUR = 3_600_000;
const skip = dovecotMissing();

t.test('a message is processed as it was received, and marked; nothing else of it changes', { skip }, async t => {
  const room = await newRoom(t);
  const { dovecot } = room;
  const at = new Date(Math.floor(Date.now() / 1000) * 1000 - 5 * HOUR);
  const trace = `Return-Path: <pat@widgets.example>\n`;
  await dovecot.append(USER, letter('one', trace), { at });
  const reading = room.read({ client: ACME });
  await seen(room, ['one']);
  const [arrival] = room.arrivals;
  t.same(
    { ...arrival, octets: undefined },
    {
      octets: undefined,
      at: at.getTime(),
      via: 'mailbox:carol',
      reversePath: 'pat@widgets.example',
      destination: { role: undefined, client: ACME, token: undefined },
    },
  );
  t.equal(arrival?.octets.toString(), letter('one', trace).replaceAll('\n', '\r\n'));
  await until('the mark', async () => (await dovecot.stored(USER))[0]?.flags.includes(KEYWORD));
  t.same((await dovecot.stored(USER))[0]?.flags, [KEYWORD], 'unread as before');

  await dovecot.append(USER, letter('two'));
  await seen(room, ['one', 'two']);
  await reading.stop();
  await dovecot.append(USER, letter('three'));
  room.read({ client: ACME });
  await seen(room, ['one', 'two', 'three']);
  t.same(room.subjects(), ['one', 'two', 'three'], 'a restart neither loses nor repeats');
  t.same(room.alarms(), []);
});

t.test('several folders, with names of any script; a new message is told at once by the first', { skip }, async t => {
  const room = await newRoom(t);
  const { dovecot } = room;
  const folders = ['INBOX', 'Büro/Antworten', 'Ответы & more'];
  for (const folder of folders.slice(1)) await dovecot.createFolder(USER, folder);
  for (const [i, folder] of folders.entries()) await dovecot.append(USER, letter(`m${i}`), { folder });
  room.read({ folders, pollSeconds: 600 });
  await until('all folders read', () => room.arrivals.length === 3);
  t.same(new Set(room.subjects()), new Set(['m0', 'm1', 'm2']));
  for (const folder of folders)
    t.same(
      (await dovecot.stored(USER, folder)).map(({ flags }) => flags),
      [[KEYWORD]],
      folder,
    );
  await dovecot.append(USER, letter('now'));
  await until('IDLE', () => room.subjects().includes('now'), 20_000);
  t.equal(room.arrivals.length, 4);
});

t.test('what its owner wrote is no reply; a bounce in its name is one', { skip }, async t => {
  const room = await newRoom(t);
  const from = (who: string, subject: string, more = '') => letter(subject, more).replace('Pat <pat@widgets.example>', who);
  await room.dovecot.append(USER, from(`Carol <${USER}>`, 'by the user name'));
  await room.dovecot.append(USER, from('sales+x@acme.example', 'by a configured address'));
  await room.dovecot.append(USER, from('"Replies" <Hello@Acme.example>', 'by a reply address'));
  await room.dovecot.append(USER, from(`Mail System <${USER}>`, 'bounce', 'Return-Path: <>\n'));
  await room.dovecot.append(USER, from('dave@acme.example', 'colleague'));
  room.read(
    { client: ACME, addresses: ['sales@acme.example'] },
    { replyAddresses: async client => (client === ACME ? ['hello@acme.example'] : []) },
  );
  await seen(room, ['bounce', 'colleague']);
  t.same(room.subjects(), ['bounce', 'colleague']);
  await until('all marked', async () => (await room.dovecot.stored(USER)).every(({ flags }) => flags.includes(KEYWORD)));
});

t.test('a message beyond the limit is read in part, and its neighbours whole', { skip }, async t => {
  const room = await newRoom(t);
  const long = `${letter('long')}${'0123456789abcde\n'.repeat(200_000)}`;
  await room.dovecot.append(USER, letter('before'));
  await room.dovecot.append(USER, long);
  await room.dovecot.append(USER, letter('after'));
  room.read({}, { maxMessageBytes: 2_000_000 });
  await seen(room, ['before', 'long', 'after']);
  const octets = room.arrivals[1]?.octets ?? Buffer.alloc(0);
  t.ok(octets.length > 1_000_000 && octets.length <= 1_048_576, `${octets.length} octets`);
  t.ok(octets.toString().endsWith('0123456789abcde\r\n'), 'cut at a line');
  t.match(room.logText(), /beyond the size limit/, 'and the log says so');
  t.equal(room.arrivals[2]?.octets.toString(), letter('after').replaceAll('\n', '\r\n'));
});

t.test('the first reading goes back sinceDays; what comes later counts whatever its age was then', { skip }, async t => {
  const room = await newRoom(t);
  const daysAgo = (days: number) => ({ at: new Date(Date.now() - days * 24 * HOUR) });
  await room.dovecot.append(USER, letter('old'), daysAgo(12));
  await room.dovecot.append(USER, letter('recent'), daysAgo(9));
  const reading = room.read({ sinceDays: 10 });
  await seen(room, ['recent']);
  await reading.stop();
  // Switched off for long: what came meanwhile still counts.
  await room.dovecot.append(USER, letter('meanwhile'));
  room.desk.clock.at += 40 * 24 * HOUR;
  room.read({ sinceDays: 10 });
  await seen(room, ['recent', 'meanwhile']);
  t.same(room.subjects(), ['recent', 'meanwhile']);
});
