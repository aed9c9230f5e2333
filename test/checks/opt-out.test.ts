/** A15, B3: every message tells how to opt out, by its header or visibly to every reader. */
import t from 'tap';
import { type OptOutOptions, optOut } from '../../src/checks/opt-out.ts';
import { loadOptOutWords } from '../../src/checks/phrase-tables.ts';
import { loadReader } from '../../src/checks/views.ts';
import type { Message } from '../../src/mail/message.ts';
import { plainHtml, plainText, tableCampaign } from '../mail/campaigns.ts';
import { submission, told } from './asking.ts';
import { html, letter, nested, plain } from './letters.ts';

const REFUSED = '554 5.6.0 Message may not be sent (opt-out) | opt-out';
const needs = { reader: loadReader(), words: loadOptOutWords() };

async function ask(message: Message, options: OptOutOptions = optOut.defaults) {
  return optOut.create(options, needs).endOfData?.(message, submission());
}

const link = (words: string, href = 'https://click.client.example/x1'): string => `<a href="${href}">${words}</a>`;
const withHeader = (...values: readonly string[]): Message =>
  letter(
    plain('Hi'),
    'mixed',
    values.map(value => `List-Unsubscribe: ${value}`),
  );

t.test('A15, B3: one List-Unsubscribe with https or mailto is enough', async t => {
  for (const value of [
    '<https://client.example/u/1>',
    '<mailto:unsubscribe@client.example?subject=x>',
    '<mailto:u@client.example>, <https://client.example/u>',
    '<http://client.example/u>, <https://client.example/u>',
    '(comment) <https://client.example/u>',
    '<https://client.example/\r\n u>',
  ])
    t.equal(told(await ask(withHeader(value))), 'pass', value);
  for (const [values, reason] of [
    [[], 'no List-Unsubscribe field; text/plain alternative 1: no opt-out link or sentence'],
    [['<http://client.example/u>'], 'neither an https nor a mailto'],
    [['https://client.example/u'], 'neither'],
    [['<https://>'], 'neither'],
    [['<mailto:>'], 'neither'],
    [['<mailto:?to=x>'], 'neither'],
    [['NO'], 'neither'],
    [['<https://client.example/u>', '<mailto:u@client.example>'], '2 List-Unsubscribe fields'],
  ] as const) {
    const verdict = await ask(withHeader(...values));
    t.equal(told(verdict), REFUSED, values.join());
    t.match(verdict?.reason, reason);
  }
});

t.test('A15, B3: a visible link or sentence in every alternative is enough', async t => {
  const pass: readonly (readonly [string, Message])[] = [
    ['link by words', letter(html(tableCampaign(link('Unsubscribe'))))],
    ['link by words, http tracking', letter(html(plainHtml(link('Unsubscribe', 'http://click.client.example/x1'))))],
    ['link by words, mailto', letter(html(plainHtml(link('Opt out', 'mailto:hello@client.example'))))],
    ['link by address', letter(html(plainHtml(`Not for you? ${link('Click', 'https://client.example/unsubscribe?id=1')}`)))],
    ['link that points', letter(html(tableCampaign(`To unsubscribe from our mails click ${link('here')}.`)))],
    [
      'link that points, in German',
      letter(html(plainHtml(`<p>Wenn Sie keine weiteren E-Mails wünschen, klicken Sie ${link('hier')}.</p>`))),
    ],
    ['link cut into pieces', letter(html(link('<b>Un</b>sub<span>scribe</span>')))],
    ['link as a picture', letter(html('<a href="https://c.example/x"><img alt="Unsubscribe" src="u.png"></a>'))],
    ['text: address after words', letter(plain(plainText('Unsubscribe: https://click.client.example/x1')))],
    ['text: address under words', letter(plain(plainText('To stop receiving these emails visit\r\nhttps://click.client.example/x1')))],
    ['text: address says it', letter(plain(plainText('https://client.example/unsubscribe/1')))],
    ['sentence', letter(plain(plainText("If you'd rather not hear from me again, just let me know.")))],
    ['sentence in html', letter(html(plainHtml('<p style="color:#999">P.S. Reply with &quot;unsubscribe&quot; to&nbsp;opt out.</p>')))],
    ['sentence, wrapped', letter(plain('If you do not want to receive any\r\nfurther mails, please reply\r\nto this message.\r\n'))],
    ['question and answer', letter(html('<p>Möchten Sie nicht mehr kontaktiert werden? Antworten Sie einfach mit „Abmelden“.</p>'))],
    ['alternative: link here, sentence there', letter([plain('Reply "stop" to opt out.'), html(link('Unsubscribe'))])],
    ['mixed: legal footer', letter([plain('Hi'), plain('Reply STOP to opt out.')], 'mixed')],
    [
      'alternative in mixed',
      letter([nested([plain('Reply STOP to opt out.'), html(link('Abmelden'))], 'alternative'), plain('Acme Ltd')], 'mixed'),
    ],
  ];
  for (const [name, message] of pass) t.equal(told(await ask(message)), 'pass', name);
});

t.test('A15, B3: what some reader does not see, or what offers nothing, is refused', async t => {
  const refuse: readonly (readonly [string, Message, string | RegExp])[] = [
    ['nothing', letter(html(plainHtml('Bye'))), 'text/html alternative 1: no opt-out link or sentence'],
    ['html only', letter([plain('Hi'), html(link('Unsubscribe'))]), 'text/plain alternative 1'],
    ['text only', letter([plain('Reply STOP to opt out.'), html('Hi')]), 'text/html alternative 2'],
    [
      'link hidden',
      letter(html(`<div style="display:none">${link('Unsubscribe', 'https://client.example/unsubscribe')}</div>`)),
      'nobody sees it: display-none',
    ],
    ['sentence hidden', letter(html('<p style="font-size:0">Reply STOP to opt out.</p>')), /no opt-out/],
    ['sentence in a comment', letter(html('<!-- Reply STOP to opt out. --> Hi')), /no opt-out/],
    [
      'sentence in the preheader only',
      letter(html(tableCampaign('Bye').replace('A word before you read', 'Reply STOP to opt out.'))),
      /no opt-out/,
    ],
    ['for all but Outlook', letter(html(`<!--[if !mso]><!-->${link('Unsubscribe')}<!--<![endif]-->`)), 'as Outlook shows it'],
    ['words without link', letter(html('<p>Unsubscribe</p>')), /no opt-out/],
    ['words beside a link of another name', letter(html(`<p>${link('Privacy policy')} | Unsubscribe</p>`)), /no opt-out/],
    ['link that leads nowhere', letter(html('<a href="#unsubscribe">Unsubscribe</a> <a>Unsubscribe</a>')), /no opt-out/],
    ['link of javascript', letter(html('<a href="javascript:unsubscribe()">Unsubscribe</a>')), /no opt-out/],
    ['unsubscribe rate', letter(html(link('How we lowered our unsubscribe rate'))), /no opt-out/],
    ['an article about it', letter(html(link('Read', 'https://client.example/blog/why-unsubscribe-rates-rise'))), /no opt-out/],
    ['reply for a demo', letter(plain('Reply to book a demo. We cut unsubscribes by half.')), /no opt-out/],
    ['reply forbidden', letter(plain('Please do not reply to unsubscribe.')), /no opt-out/],
    ['webinar', letter(plain('Vom Webinar abmelden: einfach antworten.')), /no opt-out/],
    ['attachments only', letter({ type: 'application/pdf', body: 'x' }), 'there is no text'],
    ['too deep to judge', letter(html('<i>'.repeat(600) + link('Unsubscribe'))), 'markup too deep'],
  ];
  for (const [name, message, reason] of refuse) {
    const verdict = await ask(message);
    t.equal(told(verdict), REFUSED, name);
    t.match(verdict?.reason, reason, name);
  }
});

t.test('B3: options say which of the three suffice', async t => {
  const messages = {
    header: withHeader('<https://client.example/u>'),
    link: letter(html(link('Unsubscribe'))),
    sentence: letter(plain('Reply STOP to opt out.')),
  };
  const means = ['header', 'link', 'sentence'] as const;
  for (const allowed of means) {
    for (const used of means) {
      const verdict = await ask(messages[used], { suffices: [allowed] });
      t.equal(told(verdict), allowed === used ? 'pass' : REFUSED, `${used} where ${allowed} suffices`);
      if (allowed === 'header' && used === 'link') t.equal(verdict?.reason, 'no List-Unsubscribe field');
    }
  }
});
