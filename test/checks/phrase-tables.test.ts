/** The phrase tables on their own samples, in every language. */
import t from 'tap';
import { loadOptOutWords, loadPolicyNames, optOutTable, privacyTable } from '../../src/checks/phrase-tables.ts';
import { LINK_MARK } from '../../src/mail/visible.ts';
import { readTable } from '../../src/ops/table.ts';

const LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'nl', 'pt', 'pl', 'sv', 'da', 'fi', 'no'];

t.test('A13: words that name a privacy policy', async t => {
  const names = loadPolicyNames();
  const table = readTable('privacy-phrases', privacyTable);
  for (const language of LANGUAGES)
    t.ok(
      table.some(entry => entry.language === language),
      language,
    );
  for (const { language, samples, not } of table) {
    for (const label of samples) {
      t.ok(names(label), `${language}: ${label}`);
      t.ok(names(`» ${label.toUpperCase()} ›`), `${language}: ${label} in capitals`);
    }
    for (const label of not) t.notOk(names(label), `${language}, not: ${label}`);
  }
  t.notOk(names(`Privacy policy ${'and more '.repeat(30)}`), 'a paragraph is no name');
  for (const entry of readTable('opt-out-phrases', optOutTable).languages) {
    for (const label of entry.samples.links) t.notOk(names(label), `never sampled, it would opt the recipient out: ${label}`);
  }
});

t.test('A15, B3: words that offer to opt out', async t => {
  const words = loadOptOutWords();
  const { languages } = readTable('opt-out-phrases', optOutTable);
  for (const language of LANGUAGES)
    t.ok(
      languages.some(entry => entry.language === language),
      language,
    );
  const elsewhere = 'https://t.example/x1';
  for (const { language, here, samples, not } of languages) {
    for (const label of samples.links) t.ok(words.byLink(label, elsewhere), `${language}: ${label}`);
    for (const sentence of samples.linked) {
      t.ok(words.inText(sentence.replace('[]', `${LINK_MARK}${here[0]}`)).link, `${language}: ${sentence}`);
      t.ok(words.inText(sentence.replace('[]', elsewhere)).link, `${language}: ${sentence} with an address`);
      t.notOk(words.inText(sentence.replace('[]', '')).link, `${language}: ${sentence} without link`);
    }
    for (const sentence of samples.replies) {
      t.ok(words.inText(`Kind regards\n\n${sentence}\n\nAcme`).sentence, `${language}: ${sentence}`);
      t.ok(words.inText(sentence.toUpperCase().replaceAll(' ', '\n')).sentence, `${language}: ${sentence} in capitals, wrapped`);
    }
    for (const text of not) {
      t.notOk(words.byLink(text, elsewhere), `${language}, no link: ${text}`);
      t.notOk(words.inText(`${LINK_MARK}${here[0]}: ${text}`).link, `${language}, no sentence with link: ${text}`);
      t.notOk(words.inText(text).sentence, `${language}, no offer: ${text}`);
    }
  }
});

t.test('A15: an address says what it is for by a whole part of it', async t => {
  const words = loadOptOutWords();
  for (const href of [
    'https://client.example/unsubscribe',
    'https://client.example/u/UNSUBSCRIBE.php?id=1',
    'https://client.example/?action=unsubscribe',
    'https://client.example/email/opt-out/abc',
    'https://client.example/newsletter/abmelden?x=1',
    'mailto:unsubscribe@client.example',
    'mailto:hello@client.example?subject=unsubscribe',
    'https://unsubscribe.client.example/x',
  ])
    t.ok(words.byLink('here', href), href);
  for (const href of [
    'https://client.example/blog/lower-your-unsubscribe-rate',
    'https://client.example/unsubscribers',
    'https://client.example/bajada',
  ])
    t.notOk(words.byLink('here', href), href);
});
