/** A13: the link to the client's own privacy policy, as every reader sees it: real shapes that must pass, and hostile ones that must not. */
import t from 'tap';
import { loadPolicyNames } from '../../src/checks/phrase-tables.ts';
import { type PrivacyLinkOptions, privacyLink } from '../../src/checks/privacy-link.ts';
import { loadReader } from '../../src/checks/views.ts';
import type { Message } from '../../src/mail/message.ts';
import type { Verdict } from '../../src/policy/check.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import type { Resolution, TrackedLink } from '../../src/watch/tracked-links.ts';
import { plainHtml, plainText, tableCampaign } from '../mail/campaigns.ts';
import { submission, told } from './asking.ts';
import { html, letter, nested, type Part, plain } from './letters.ts';

const URL_ = 'https://client.example/privacy';
const LINK = `<a href="${URL_}" style="color:#888888;font-size:11px">Privacy policy</a>`;
const REFUSED = '554 5.6.0 Message may not be sent (privacy-link) | privacy-link';
const WAITS = '451 4.3.0 Message cannot be verified yet, try again (privacy-link) | privacy-link';

const reader = loadReader();
const namesPolicy = loadPolicyNames();
const profile = { privacyUrls: [URL_, 'https://client.example/de/datenschutz'], trackingHosts: ['click.client.example', 't.example:8443'] };

/** The check, with tracked links that resolve as the path says: /resolves…, /elsewhere…, else not known yet. */
function ask(message: Message, options: Partial<PrivacyLinkOptions> = {}) {
  const judged: TrackedLink[] = [];
  const tracked = {
    async judge(link: TrackedLink): Promise<Resolution> {
      judged.push(link);
      return (['resolves', 'elsewhere'] as const).find(state => link.url.pathname.startsWith(`/${state}`)) ?? 'unknown';
    },
  };
  const check = privacyLink.create({ ...privacyLink.defaults, ...options }, { reader, namesPolicy, tracked });
  const verdict = async (): Promise<Verdict> =>
    check.endOfData?.(message, submission({ profile, campaigns: { spring: [] }, named: ['spring'] }));
  return { verdict, judged };
}

const tracked = (path: string, words = 'Privacy policy'): string => `<a href="https://click.client.example/${path}">${words}</a>`;

/** name; message */
// biome-ignore format: one case a line
const PASS: readonly (readonly [string, Message])[] = [
  ['text only', letter(plain(plainText(`Privacy: ${URL_}`)))],
  ['text, in angle brackets, at a sentence end', letter(plain(plainText(`Privacy policy <${URL_}>.`)))],
  ['text, format=flowed over two lines', letter({ type: 'text/plain; charset=utf-8; format=flowed; delsp=yes', body: 'Policy: https://client.example/ \nprivacy\n' })],
  ['text in base64', letter({ ...plain(plainText(URL_)), encoding: 'base64' })],
  ['html in quoted-printable', letter({ ...html(tableCampaign(LINK)), encoding: 'quoted-printable' })],
  ['html, MJML-like, with Outlook comments and preheader', letter(html(tableCampaign(LINK)))],
  ['html, hand-written', letter(html(plainHtml(LINK)))],
  ['html, second policy address of the client', letter(html('<a href="https://client.example/de/datenschutz?x=1">Datenschutz</a>'))],
  ['html, upper case and entities', letter(html('<A HREF="HTTPS://Client.Example:443/%70rivacy?utm=a&amp;b=c#top">Privacy</A>'))],
  ['html, address over two lines', letter(html('<a href="https://client.example/\r\n  privacy">no</a><a href="https://client.example/\r\nprivacy">yes</a>'))],
  ['html, small grey footer', letter(html(`<table width="100%" bgcolor="#f4f4f4"><tr><td style="font-size:9px;color:#bbbbbb">${LINK}</td></tr></table>`))],
  ['html, dark-mode styles', letter(html(tableCampaign(LINK, 2, '<style>@media (prefers-color-scheme:dark){a{color:#000!important}} [data-ogsc] a{color:#fff!important}</style>')))],
  ['html, mobile-only and desktop-only blocks', letter(html(tableCampaign(`<span class="desktop">${LINK}</span>`)))],
  ['html, white footer link on a dark cell', letter(html(`<table><tr><td bgcolor="#222222"><a style="color:#ffffff" href="${URL_}">Privacy</a></td></tr></table>`))],
  ['html, bulletproof button for Outlook and another for the rest', letter(html(`<!--[if mso]><v:roundrect href="${URL_}"><center>${LINK}</center></v:roundrect><![endif]--><!--[if !mso]><!-->${LINK}<!--<![endif]-->`))],
  ['html, written in Word', letter(html(`<html xmlns:o="x"><head><!--[if gte mso 9]><xml><o:x/></xml><![endif]--></head><body lang=EN-GB link="#0563C1"><div class=WordSection1><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>${LINK}<o:p></o:p></p></div></body></html>`))],
  ['html, linked picture', letter(html(`<a href="${URL_}"><img src="https://cdn.example/privacy.png" alt="Privacy" width="80" height="20" border="0"></a>`))],
  ['html, the bare address', letter(html(`<p>Privacy: ${URL_}</p>`))],
  ['html, unclosed tags', letter(html(`<p style="display:none">pre<p>Hi<table><tr><td>${LINK}`))],
  ['html, an empty message around it', letter(html(LINK))],
  ['alternative', letter([plain(plainText(URL_)), html(tableCampaign(LINK))])],
  ['alternative with related pictures', letter([plain(plainText(URL_)), nested([html(plainHtml(LINK)), { type: 'image/png', body: 'x', disposition: 'inline' }], 'related')])],
  ['mixed: body and legal footer', letter([plain(plainText('Hi')), plain(`Privacy: ${URL_}`)], 'mixed')],
  ['mixed: alternative and an attachment', letter([nested([plain(URL_), html(LINK)], 'alternative'), { type: 'application/pdf', body: 'x', disposition: 'attachment; filename=a.pdf' }], 'mixed')],
  ['tracked, readable in a parameter', letter(html(tracked(`c?url=${encodeURIComponent(URL_)}`, 'here')))],
  ['tracked, readable in the path', letter(html(tracked(`L0/${encodeURIComponent(`${URL_}?a=b`)}/1/0100018f/sig=2`, 'x1')))],
  ['tracked, readable in base64', letter(html(tracked(`r/${Buffer.from(URL_).toString('base64url')}`)))],
  ['tracked, readable, on a host with port', letter(html(`<a href="https://t.example:8443/?u=${URL_}">Legal</a>`))],
  ['tracked, readable, in text', letter(plain(`Legal: https://click.client.example/c?u=${encodeURIComponent(URL_)}`))],
  ['tracked, opaque, sample resolves', letter([plain('Privacy policy:\nhttps://click.client.example/resolves/1'), html(tableCampaign(tracked('resolves/2')))])],
  ['tracked, opaque, in German', letter(html(tracked('resolves/3', 'Datenschutzerklärung')))],
  ['tracked, opaque, the words are the address', letter(html(tracked('resolves/4', 'client.example/privacy')))],
  ['tracked, opaque, two that name a policy, one leads there', letter(html(`${tracked('elsewhere/p', 'Privacy policy of the platform')} ${tracked('resolves/c')}`))],
];

const NOTE = 'nobody sees it';
const UNSEEN = 'not as a link that is seen';
/** name; message; what the operator is told */
// biome-ignore format: one case a line
const REFUSE: readonly (readonly [string, Message, string | RegExp])[] = [
  ['no link', letter(html(plainHtml('Bye'))), 'text/html alternative 1: no link to the privacy policy'],
  ['html only', letter([plain(plainText('Bye')), html(LINK)]), 'text/plain alternative 1: no link'],
  ['text only', letter([plain(URL_), html(plainHtml('Bye'))]), 'text/html alternative 2: no link'],
  ['in one of three alternatives not', letter([plain(URL_), { type: 'text/x-amp-html; charset=utf-8', body: '<p>Hi</p>' }, html(LINK)]), 'alternative 2: no link'],
  ['in a comment', letter(html(`<!-- ${LINK} --> Hi`)), UNSEEN],
  ['in an Outlook comment', letter(html(`<!--[if mso]>${LINK}<![endif]--> Hi`)), UNSEEN],
  ['seen by all but Outlook', letter(html(`Hi <!--[if !mso]><!-->${LINK}<!--<![endif]-->`)), 'text/html alternative 1 as Outlook shows it: '],
  ['in the head', letter(html(`<html><head><title>${LINK}</title>${LINK}</head><body>Hi</body></html>`)), UNSEEN],
  ['in a style', letter(html(`<style>/* ${URL_} */</style>Hi`)), UNSEEN],
  ['in a script', letter(html(`<script>location='${URL_}'</script>Hi`)), UNSEEN],
  ['in an attribute', letter(html(`<p title="${URL_}" data-privacy="${URL_}">Hi</p>`)), UNSEEN],
  ['as a picture source', letter(html(`<img src="${URL_}">`)), UNSEEN],
  ['display:none', letter(html(`<div style="display:none">${LINK}</div>`)), `link present but ${NOTE}: display-none`],
  ['display:none by class', letter(html(`<style>.gone{display:none!important}</style><div class="gone">${LINK}</div>`)), `${NOTE}: display-none`],
  ['as a preheader only', letter(html(tableCampaign('Bye').replace('A word before you read', LINK))), `${NOTE}: display-none`],
  ['visibility:hidden', letter(html(`<div style="visibility:hidden">${LINK}</div>`)), `${NOTE}: visibility`],
  ['opacity:0', letter(html(`<div style="opacity:0">${LINK}</div>`)), `${NOTE}: opacity`],
  ['font-size:0', letter(html(`<span style="font-size:0"><a href="${URL_}">Privacy</a></span>`)), `${NOTE}: font-size`],
  ['zero height', letter(html(`<div style="height:0px;overflow:hidden">${LINK}</div>`)), `${NOTE}: clipped-height`],
  ['off screen', letter(html(`<div style="position:absolute;left:-9999px">${LINK}</div>`)), `${NOTE}: off-screen-left`],
  ['text-indent', letter(html(`<div style="text-indent:-9999px">${LINK}</div>`)), `${NOTE}: text-indent`],
  ['hidden', letter(html(`<div hidden>${LINK}</div>`)), `${NOTE}: hidden-attribute`],
  ['mso-hide', letter(html(`<p style="mso-hide:all">${LINK}</p>`)), `${NOTE}: mso-hide`],
  ['white on white', letter(html(`<p style="background:#fff"><a style="color:#ffffff" href="${URL_}">Privacy</a></p>`)), `${NOTE}: same-colour`],
  ['an empty anchor', letter(html(`<a href="${URL_}"></a>`)), `${NOTE}: being empty`],
  ['a pixel', letter(html(`<a href="${URL_}"><img src="https://t.example/p.gif" width="1" height="1"></a>`)), `${NOTE}: being empty`],
  ['closed details', letter(html(`<details><summary>Legal</summary>${LINK}</details>`)), `${NOTE}: closed-details`],
  ['a form, a button, an area', letter(html(`<form action="${URL_}"><button>Privacy</button></form><map><area href="${URL_}"></map>`)), UNSEEN],
  ['an attachment', letter([plain('Hi'), { ...html(LINK), disposition: 'attachment; filename="privacy.html"' }], 'mixed'), /no link/],
  ['a forwarded message', letter([plain('Hi'), { type: 'message/rfc822', body: `From: a@client.example\n\n${URL_}\n` }], 'mixed'), /no link/],
  ['http', letter(html('<a href="http://client.example/privacy">Privacy</a>')), 'but not by https'],
  ['userinfo', letter(html('<a href="https://client.example@evil.example/privacy">Privacy</a>')), UNSEEN],
  ['userinfo before the host', letter(html('<a href="https://x:y@client.example/privacy">Privacy</a>')), 'a user name in its address'],
  ['userinfo in text', letter(plain('https://client.example@evil.example/privacy')), /text\/plain alternative 1/],
  ['look-alike host', letter(html('<a href="https://client.example.evil.example/privacy">Privacy</a>')), /./],
  ['look-alike letter', letter(html('<a href="https://cliеnt.example/privacy">Privacy</a>')), /./],
  ["another client's", letter(html('<a href="https://other.example/privacy">Privacy</a>')), /no link/],
  ['another path', letter(html('<a href="https://client.example/terms">Privacy</a>')), 'but to another page or port'],
  ['another port', letter(html('<a href="https://client.example:8443/privacy">Privacy</a>')), 'but to another page or port'],
  ['relative, with base', letter(html('<base href="https://client.example/"><a href="/privacy">Privacy</a>')), /./],
  ['without scheme', letter(html('<a href="client.example/privacy">Privacy</a> <p>client.example/privacy</p>')), UNSEEN],
  ['the address as words of another link', letter(html(`<a href="https://evil.example/">${URL_}</a>`)), UNSEEN],
  ['an open redirect', letter(html(`<a href="https://evil.example/?url=${URL_}">Privacy</a>`)), UNSEEN],
  ['nested too deep', letter(html('<div>'.repeat(600) + LINK)), 'markup too deep'],
  ['a body of nothing', letter(plain('')), /no link/],
  ['attachments only', letter({ type: 'application/pdf', body: 'x' }), 'the message has no text that a reader is shown'],
  ['tracked, readable, leads elsewhere', letter(html(tracked('c?url=https%3A%2F%2Fclient.example%2Foffer'))), 'its address can be read and is another'],
  ['tracked, two addresses in it, words that name nothing', letter(html(tracked(`c?a=${URL_}&b=https://evil.example/`, 'here'))), /no tracked link names/],
  ['tracked, http', letter(html(`<a href="http://click.client.example/c?url=${URL_}">Privacy</a>`)), /./],
  ['tracked, not registered', letter(html(`<a href="https://click.other.example/c?url=${URL_}">Privacy</a>`)), /./],
  ['tracked, opaque, words that name nothing', letter(html(tracked('resolves/1', 'Read more'))), 'no tracked link names the privacy policy'],
  ['tracked, opaque, hidden', letter(html(`<div style="display:none">${tracked('resolves/1')}</div>`)), /./],
  ['tracked, opaque, sample leads elsewhere', letter(html(tracked('elsewhere/1'))), 'lead elsewhere'],
  ['tracked, opaque, and an alternative without', letter([plain('Hi'), html(tracked('new/1'))]), 'text/plain alternative 1'],
];

t.test('A13: what real campaigns look like passes', async t => {
  for (const [name, message] of PASS) t.equal(told(await ask(message).verdict()), 'pass', name);
});

t.test('A13: a link that some reader does not see, or that is not the policy, is refused, and the operator told why', async t => {
  for (const [name, message, reason] of REFUSE) {
    const verdict = await ask(message).verdict();
    t.equal(told(verdict), REFUSED, name);
    t.match(verdict?.reason, reason, name);
    t.notMatch(verdict?.reason, /@|sam@|robin|widgets/, 'no address in it');
  }
});

t.test('A13, law 1: an opaque link that is not known yet waits; one that leads there in every view is enough', async t => {
  t.equal(told(await ask(letter(html(tracked('new/1')))).verdict()), WAITS);
  t.equal(
    told(await ask(letter([plain('Privacy policy: https://click.client.example/resolves/1'), html(tracked('new/1'))])).verdict()),
    WAITS,
  );
  t.equal(
    told(await ask(letter([plain('Privacy policy: https://click.client.example/elsewhere/1'), html(tracked('new/1'))])).verdict()),
    REFUSED,
  );
  t.equal(told(await ask(letter(html(`${tracked('new/1')} ${tracked('elsewhere/1', 'Privacy notice')}`))).verdict()), WAITS);
});

t.test('A1, A13: what is asked of the watch: this client, campaign, host and wording, and only links that name the policy', async t => {
  const { verdict, judged } = ask(
    letter(html(`${tracked('u/9', 'Unsubscribe')} ${tracked('new/1', ' PRIVACY&nbsp;Policy ')} ${tracked('x/2', 'Shop')}`)),
  );
  await verdict();
  t.equal(judged.length, 1);
  t.match(judged[0], {
    client: 'acme',
    campaigns: ['spring'],
    label: 'privacy policy',
    privacyUrls: profile.privacyUrls,
    trackingHosts: profile.trackingHosts,
  });
  t.equal(judged[0]?.url.href, 'https://click.client.example/new/1');
});

t.test('A13: tracking can be switched off; a client without an https policy may send nothing', async t => {
  const wrapped = letter(html(tracked(`c?url=${encodeURIComponent(URL_)}`)));
  t.equal(told(await ask(wrapped, { tracking: false }).verdict()), REFUSED);
  const check = privacyLink.create(privacyLink.defaults, { reader, namesPolicy, tracked: { judge: async () => 'resolves' } });
  const bare = submission({ profile: { privacyUrls: ['http://client.example/privacy'] } });
  t.equal(told(await check.endOfData?.(letter(html('<a href="http://client.example/privacy">Privacy</a>')), bare)), REFUSED);
});

t.test('law 1: the watch that cannot answer is a fault, not a verdict', async t => {
  const tracked_ = { judge: () => Promise.reject(new StoreUnavailable('down')) };
  const check = privacyLink.create(privacyLink.defaults, { reader, namesPolicy, tracked: tracked_ });
  await t.rejects(async () => check.endOfData?.(letter(html(tracked('new/1'))), submission({ profile })), StoreUnavailable);
});

t.test('A13: parts are what they are whatever their encoding', async t => {
  const parts: readonly Part[] = (['8bit', 'base64', 'quoted-printable'] as const).map(encoding => ({
    ...html(`<p style="display:none">${LINK}</p>`),
    encoding,
  }));
  for (const part of parts) t.match((await ask(letter(part)).verdict())?.reason, 'display-none', part.encoding ?? '');
});
