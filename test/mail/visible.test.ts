/** What a person sees of a message: every hiding rule on its own samples, and the shapes that real campaigns have. */
import t from 'tap';
import { hidingTable } from '../../src/mail/html/hiding.ts';
import { readTable } from '../../src/ops/table.ts';
import { plainHtml, tableCampaign } from './campaigns.ts';
import { fateOf, reader, readHtml } from './reader.ts';

const URL_ = 'https://client.example/privacy';
const LINK = `<a href="${URL_}">Privacy policy</a>`;

t.test('A13: every hiding rule hides its sample, and only that', async t => {
  for (const rule of readTable('hiding-rules', hidingTable)) {
    const fill = (html: string): string => html.replaceAll('{link}', LINK).replaceAll('{url}', URL_);
    t.equal(fateOf(fill(rule.sample), URL_), rule.name, rule.sample);
    if (rule.shown !== undefined) t.equal(fateOf(fill(rule.shown), URL_), 'visible', rule.shown);
  }
});

/** html; what becomes of the link. */
// biome-ignore format: one case a line
const TABLE: readonly (readonly [html: string, fate: string | undefined])[] = [
  // Seen
  [tableCampaign(LINK), 'visible'],
  [plainHtml(LINK), 'visible'],
  [`<p style="font-size:11px;color:#999999">${LINK}</p>`, 'visible'],
  [`<table><td style="font-size:0px"><a href="${URL_}"><img src="https://cdn.example/p.png" width="80"></a></td></table>`, 'visible'],
  [`<a href="${URL_}"><img src="cid:x"></a>`, 'visible'],
  [`<a href="${URL_}"><img alt="Privacy"></a>`, 'visible'],
  [`<a href="${URL_}"><span>Pri</span><b>vacy</b></a>`, 'visible'],
  [`<div style="display:none">preheader</div>${LINK}`, 'visible'],
  [`<p style="display:none">preheader<p>${LINK}`, 'visible'],
  [`<p style="display:none">preheader<div>${LINK}</div>`, 'visible'],
  [`<ul><li hidden>x<li>${LINK}</ul>`, 'visible'],
  [`<table><tr><td hidden>x<td>${LINK}</table>`, 'visible'],
  [`<table style="display:none"><div>${LINK}</div></table>`, 'visible'],
  [`<style>@media (max-width:480px){.m{display:none}}</style><p class="m">${LINK}</p>`, 'visible'],
  [`<style>@media print{p{display:none}}</style><p>${LINK}</p>`, 'visible'],
  [`<style media="(max-width:480px)">p{display:none}</style><p>${LINK}</p>`, 'visible'],
  [`<style>.m{display:none}.m{display:block}</style><p class="m">${LINK}</p>`, 'visible'],
  [`<style>.m{display:none}</style><p class="m" style="display:block">${LINK}</p>`, 'visible'],
  [`<style>.other{display:none} .m .no a{display:none} #x{opacity:0}</style><p class="m">${LINK}</p>`, 'visible'],
  [`<style>a:hover{color:#fff} p:last-child{background:#000}</style><p><a style="color:#fff" href="${URL_}">Privacy</a></p>`, 'visible'],
  [`<table><td bgcolor="#000000"><a style="color:#ffffff" href="${URL_}">Privacy</a></td></table>`, 'visible'],
  [`<table bgcolor="#000"><tr><td><a style="color:white" href="${URL_}">Privacy</a></td></tr></table>`, 'visible'],
  [`<table background="https://cdn.example/bg.png"><tr><td><a style="color:#fff" href="${URL_}">Privacy</a></td></tr></table>`, 'visible'],
  [`<div style="background:url(https://cdn.example/b.png)"><a style="color:#fff" href="${URL_}">Privacy</a></div>`, 'visible'],
  [`<div style="background:#fff url('x;y.png')"><a style="color:#fff" href="${URL_}">Privacy</a></div>`, 'visible'],
  [`<details open><summary>More</summary>${LINK}</details>`, 'visible'],
  [`<form><label>${LINK}</label></form>`, 'visible'],
  [`<!--[if mso]><p><![endif]-->${LINK}<!--[if mso]></p><![endif]-->`, 'visible'],
  [`<!--x--!>${LINK}`, 'visible'],
  [`<svg width="9"><path d=""/></svg>${LINK}`, 'visible'],
  [`<noscript><img src="https://t.example/p.gif"></noscript>${LINK}`, 'visible'],
  [`<div><html><head><title>x</title></head><body>${LINK}</body></html></div>`, 'visible'],
  [`<p>Our policy: ${URL_}</p>`, 'visible'],
  [`<a href="&#104;ttps://client.example/&#112;rivacy">Privacy</a>`, 'visible'],
  // Not seen
  [`<!-- ${LINK} -->`, undefined],
  [`<!--[if mso]>${LINK}<![endif]-->`, undefined],
  [`<head>${LINK}</head>`, undefined],
  [`<title>${LINK}</title>`, undefined],
  [`<style>${LINK}</style>`, undefined],
  [`<script>document.write('${LINK}')</script>`, undefined],
  [`<template>${LINK}</template>`, undefined],
  [`<noscript>${LINK}</noscript>`, undefined],
  [`<textarea>${LINK}</textarea>`, undefined],
  [`<select><option>${LINK}</option></select>`, undefined],
  [`<svg>${LINK}</svg>`, undefined],
  [`<p title="${URL_}">x</p>`, undefined],
  [`<img src="${URL_}">`, undefined],
  [`<map><area href="${URL_}"></map>`, undefined],
  [`<form action="${URL_}"><button>Privacy</button></form>`, undefined],
  [`<link href="${URL_}">`, undefined],
  [`<a href="https://other.example/">${URL_}</a>`, undefined],
  [`<a href="${URL_}"></a>`, 'being empty'],
  [`<a href="${URL_}"> &nbsp;&#8203;&#x2800; </a>`, 'being empty'],
  [`<a href="${URL_}">.</a>`, 'being empty'],
  [`<a href="${URL_}"><img src="https://t.example/p.gif" width="1" height="1"></a>`, 'being empty'],
  [`<a href="${URL_}"><img src="https://t.example/p.gif" style="width:0"></a>`, 'being empty'],
  [`<a href="${URL_}"><img></a>`, 'being empty'],
  [`<a href="${URL_}"><!-- Privacy --></a>`, 'being empty'],
  [`<div style="display:none"><div><p>${LINK}</p></div></div>`, 'display-none'],
  [`<DIV STYLE="DISPLAY : NONE !IMPORTANT">${LINK}</DIV>`, 'display-none'],
  [`<div style="display:none;display:none">${LINK}</div>`, 'display-none'],
  [`<div style="disp/**/lay:none;d\\69splay:none">${LINK}</div>`, 'display-none'],
  [`<div style="background:url(a;b);display:none">${LINK}</div>`, 'display-none'],
  [`<div style="display&#58;none">${LINK}</div>`, 'display-none'],
  [`<a href="${URL_}" style="display:none">Privacy</a>`, 'display-none'],
  [`<a href="${URL_}"><span style="display:none">Privacy</span></a>`, 'display-none'],
  [`<div style="display:none"><p style="display:block;visibility:visible">${LINK}</p></div>`, 'display-none'],
  [`<body style="display:none">${LINK}</body>`, 'display-none'],
  [`${LINK}<body style="display:none">`, 'display-none'],
  [`<b hidden><p>x</p>${LINK}</b>`, 'hidden-attribute'],
  [`<p><b hidden>x</p><p>${LINK}</p>`, 'hidden-attribute'],
  [`<div hidden></p></span>${LINK}</div>`, 'hidden-attribute'],
  [`<table hidden><tr><td></div></table2>${LINK}</td></tr></table>`, 'hidden-attribute'],
  [`<style>.x{display:none}</style><p class="a x">${LINK}</p>`, 'display-none'],
  [`<p class="x">${LINK}</p><style>.x{display:none}</style>`, 'display-none'],
  [`<style>#y{opacity:0}</style><p id="y">${LINK}</p>`, 'opacity'],
  [`<style>a{display:none}</style>${LINK}`, 'display-none'],
  [`<style>.f > p a:link{display:none}</style><div class="f"><p>${LINK}</p></div>`, 'display-none'],
  [`<style>p[class~="x"]{display:none}</style><p class="a x">${LINK}</p>`, 'display-none'],
  [`<style>@media all{.x{display:none}}</style><p class="x">${LINK}</p>`, 'display-none'],
  [`<style>@media only screen{.x{display:none}}</style><p class="x">${LINK}</p>`, 'display-none'],
  [`<style>@import "x.css"; /* } */ .x{display:none`, undefined],
  [`<style>/* } */ .x{display:none</style><p class="x">${LINK}</p>`, 'display-none'],
  [`<style>.x{display:none!important}</style><p class="x" style="display:block">${LINK}</p>`, 'display-none'],
  [`<style>.m{display:none}@media (max-width:480px){.m{display:block!important}}</style><p class="m">${LINK}</p>`, 'display-none'],
  [`<noscript><style>.x{display:none}</style></noscript><p class="x">${LINK}</p>`, 'display-none'],
  [`<div style="font:0/0 a">${LINK}</div>`, 'font-size'],
  [`<div style="font-size:0"><p style="font-size:100%">${LINK}</p></div>`, 'font-size'],
  [`<div style="font-size:.01em">${LINK}</div>`, 'font-size'],
  [`<div style="overflow:hidden;max-height:0">${LINK}</div>`, 'clipped-max-height'],
  [`<span style="position:absolute;width:1px;height:1px;overflow:hidden;clip:rect(0,0,0,0)">${LINK}</span>`, 'clipped-height'],
  [`<a href="${URL_}" style="color:#ffffff">Privacy</a>`, 'same-colour'],
  [`<div style="background:#FFF"><a href="${URL_}" style="color:rgb(255,255,254)">Privacy</a></div>`, 'same-colour'],
  [`<table><td bgcolor="F5F5F5"><a href="${URL_}"><font color="whitesmoke">Privacy</font></a></td></table>`, 'same-colour'],
  [`<div style="background-color:black"><a href="${URL_}" style="color:hsl(0,0%,0%)">Privacy</a></div>`, 'same-colour'],
  [`<a href="${URL_}" style="color:rgba(0,0,0,0)">Privacy</a>`, 'same-colour'],
  [`<body bgcolor="#ffffff" link="#ffffff">${LINK}</body>`, 'same-colour'],
  [`<style>.w{color:#fff;background:#fff}</style><a class="w" href="${URL_}">Privacy</a>`, 'same-colour'],
  [`<svg><p style="display:none">${LINK}</p>`, 'display-none'],
];

t.test('A13: what is seen and what is not', async t => {
  for (const [html, fate] of TABLE) t.equal(fateOf(html, URL_), fate, html.length < 200 ? html : `${html.slice(0, 100)}…`);
});

t.test('A13: markup that readers understand differently, or too tangled, shows nothing', async t => {
  const table: readonly (readonly [string, RegExp])[] = [
    [`<frameset>${LINK}`, /frameset/],
    [`<noscript><div hidden></noscript>${LINK}`, /noscript/],
    [`<noscript><!-- </noscript>${LINK}-->`, /noscript/],
    [`<svg><style><!--</style></svg>${LINK}-->`, /svg/],
    [`<svg><![CDATA[ > ]]></svg>${LINK}`, /CDATA/],
    [`${'<div>'.repeat(600)}${LINK}`, /too deep/],
    [`${Array.from({ length: 300 }, (_, i) => `<p><b id=${i}></p>`).join('')}${LINK}`, /too deep/],
  ];
  for (const [html, reason] of table) {
    const [reading] = readHtml(html);
    t.match(reading?.unreadable, reason);
    t.same(reading?.links, []);
  }
});

t.test('A13: desktop Outlook reads conditional comments, so it is asked as well', async t => {
  const fates = (html: string): readonly string[] =>
    readHtml(html).map(({ by, links }) => `${by}: ${links.some(({ href, hiddenBy }) => href === URL_ && hiddenBy === undefined)}`);
  t.same(fates(LINK), ['every reader: true']);
  t.same(fates(tableCampaign(LINK)), ['every reader: true', 'Outlook: true']);
  t.same(fates(`<!--[if mso]>${LINK}<![endif]-->`), ['every reader: false', 'Outlook: true']);
  t.same(fates(`<!--[if !mso]><!-->${LINK}<!--<![endif]-->`), ['every reader: true', 'Outlook: false']);
  t.same(fates(`<!--[if !mso]><!-- -->${LINK}<!-- <![endif]-->`), ['every reader: true', 'Outlook: false']);
  t.same(fates(`<![if !mso]>${LINK}<![endif]>`), ['every reader: true', 'Outlook: false']);
  t.same(fates(`<!--[if gte mso 9]><div style="display:none"><![endif]-->${LINK}`), ['every reader: true', 'Outlook: false']);
  t.same(fates(`<!--[if lt mso 12]><div style="display:none"><![endif]-->${LINK}`), ['every reader: true', 'Outlook: true']);
  t.same(fates(`<!--[if (gte mso 9)|(IE)]><table><tr><td><![endif]-->${LINK}`), ['every reader: true', 'Outlook: true']);
  t.same(fates(`<!--[if IE 6]><div hidden><![endif]-->${LINK}`), ['every reader: true', 'Outlook: true']);
  t.same(
    fates(`<!--[if mso]><v:rect style="width:0;height:0;overflow:hidden"/>${LINK}<![endif]--><!--[if !mso]><!-->${LINK}<!--<![endif]-->`),
    ['every reader: true', 'Outlook: true'],
  );
  const style = '<!--[if mso]><style>.o{display:none}</style><![endif]-->';
  t.same(fates(`${style}<p class="o">${LINK}</p>`), ['every reader: true', 'Outlook: false']);
});

t.test('links in plain text: where they end, and what they are taken for', async t => {
  const links = (text: string): readonly string[] =>
    (reader.read({ type: 'text/plain', text })[0]?.links ?? []).map(({ href, label }) => `${href} = ${label}`);
  t.same(links(`See ${URL_}.`), [`${URL_} = See`]);
  t.same(links(`Privacy (${URL_}), terms <https://client.example/terms>`), [`${URL_} = Privacy`, 'https://client.example/terms = terms']);
  t.same(links(`Privacy policy:\r\n${URL_}?a=1&b=2\r\n`), [`${URL_}?a=1&b=2 = Privacy policy`]);
  t.same(links('Privacy: https://t.example/1 Unsubscribe: https://t.example/2'), [
    'https://t.example/1 = Privacy',
    'https://t.example/2 = Unsubscribe',
  ]);
  t.same(links('Privacy:\nhttps://t.example/1\nhttps://t.example/2'), ['https://t.example/1 = Privacy', 'https://t.example/2 = ']);
  t.same(links('https://client.example@evil.example/privacy'), ['https://client.example@evil.example/privacy = ']);
  t.same(links('xhttps://client.example/privacy client.example/privacy www.client.example'), []);
});

t.test('hostile markup is read in linear time', async t => {
  const size = 1_000_000;
  const hostile: Record<string, string> = {
    'nested blocks': '<div>'.repeat(size / 5),
    'nested anchors': `<a href="${URL_}">`.repeat(size / 40),
    'paragraphs in formatting': '<p><b>'.repeat(size / 6),
    'tables in tables': '<table><tr><td>'.repeat(size / 15),
    'end tags without start': '<p></b></i></td></div>'.repeat(size / 22),
    'rules by the thousand': `<style>${'p a.x{color:red}'.repeat(size / 40)}</style>${'<p><a class=x>'.repeat(size / 28)}`,
    'one long selector': `<style>${'a '.repeat(size / 4)}{color:red}</style>${'<a>x</a>'.repeat(size / 16)}`,
    'conditional comments': '<!--[if mso]>'.repeat(size / 13),
    'closed conditional comments': '<!--[if mso]><![endif]-->'.repeat(size / 25),
    'style attributes': Array.from({ length: size / 25 }, (_, i) => `<i style="width:${i}px">`).join('x</i>'),
    'addresses in text': `<p>${'https://'.repeat(size / 8)}`,
    'addresses and words': `<p>${'https://a.example/ '.repeat(size / 19)}`,
    'a tag with 1e5 attributes': `<a ${Array.from({ length: 100_000 }, (_, i) => `a${i}=1`).join(' ')}>x`,
    noscripts: '<noscript></noscript>'.repeat(size / 21),
  };
  for (const [name, html] of Object.entries(hostile)) {
    const from = performance.now();
    readHtml(html);
    // Quadratic reading takes minutes here; the limit only has to tell the two apart on a busy machine.
    t.ok(performance.now() - from < 10_000, `${name}: ${Math.round(performance.now() - from)} ms`);
  }
});
