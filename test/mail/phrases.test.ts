/** Phrases: folding, and the small language that the phrase tables are written in. */
import t from 'tap';
import { compilePhrases, compileWhole, fold, sentences } from '../../src/mail/phrases.ts';

t.test('folding keeps what people mean', async t => {
  t.equal(fold('Désinscription'), 'desinscription');
  t.equal(fold('GRÖSSE, Größe'), 'grosse, grosse');
  t.equal(fold('Tilføj \u0142ódź'), 'tilfoj lodz');
  t.equal(fold('un\u00adsub\u200bscribe'), 'unsubscribe');
  t.equal(fold('don\u2019t \u201cstop\u201d'), 'don\'t "stop"');
});

t.test('phrases', async t => {
  const pattern = compilePhrases(['opt(ed|) out', 'unsubscrib*', 'reply ... (stop|remove)', 'a.b']);
  const found = (text: string): boolean => pattern?.test(fold(text)) === true;
  for (const text of ['Opt-out here', 'you opted out', 'UNSUBSCRIBED', 'reply with the word "stop"', 'reply\nstop', 'a.b'])
    t.ok(found(text), text);
  for (const text of [
    'optout',
    'adopt outright',
    'resubscribe',
    'reply one two three four five six seven eight nine stop',
    'stop reply',
    'axb',
    'nonstop reply',
  ])
    t.notOk(found(text), text);
  const optional = compilePhrases(['mailbox (is |was )...full', 'a (big )?box']);
  for (const text of ['mailbox full', 'mailbox is\nfull', 'mailbox was, is full', 'a big box', 'a box']) t.ok(optional?.test(text), text);
  for (const text of ['mailbox never full', 'mailboxfull', 'a small box']) t.notOk(optional?.test(text), text);
  const whole = compileWhole(['privacy', 'data(-| )protection']);
  t.ok(whole?.test(fold('» Privacy.')));
  t.ok(whole?.test(fold('Data-Protection')));
  t.notOk(whole?.test(fold('privacy webinar')));
  t.throws(() => compilePhrases(['(a|b']), /brackets/);
  t.equal(compilePhrases([]), undefined);
});

t.test('sentences end at stops and blank lines, not at wrapped lines or in addresses', async t => {
  t.same(sentences('one\ntwo. three? "four!" five\n\nsix'), ['one\ntwo.', 'three?', '"four!"', 'five', 'six']);
  t.same(sentences('see https://client.example/a.b?c and go'), ['see https://client.example/a.b?c and go']);
  t.ok(sentences('x'.repeat(5000)).every(sentence => sentence.length <= 600));
});
