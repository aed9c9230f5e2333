/** Replies in the shapes in which mail programs make them, as octets: the original quoted, the person's own words where that program puts them. Written for the tests. */
import { parseMessage } from '../../src/mail/message.ts';
import { leaf, message, multipart } from './platform-parts.ts';
import { attribution, type Quoted, sentDate, type UiLanguage, wordsOf } from './reply-languages.ts';

export { LANGUAGES, type UiLanguage } from './reply-languages.ts';

/** What is answered. */
export interface Original {
  readonly messageId: string;
  readonly subject: string;
  readonly from: { readonly name: string; readonly address: string };
  readonly to: string;
  readonly date: Date;
  readonly text: string;
  readonly html: string;
}

export interface ReplyRequest {
  /** Who answers; its name stands before the address. */
  readonly from: string;
  /** The recipient of the reply: a From or Reply-To of the original. */
  readonly to: string;
  /** The message's octets, or what matters of it. */
  readonly original: Original | Buffer;
  /** Lines (LF) of no more than 70 characters, paragraphs set apart by one blank line. */
  readonly ownText: string;
  /** That the mail program speaks. */
  readonly language: UiLanguage;
  /** Of the reply; by default made of `from` and the time. */
  readonly messageId?: string;
  /** The reply's; by default `Re: ` and the original's. */
  readonly subject?: string;
}

interface Draft extends Omit<ReplyRequest, 'original'> {
  readonly original: Original;
  readonly quoted: Quoted;
}

interface Body {
  readonly text?: string;
  readonly html?: string;
  readonly flowed?: boolean;
  readonly fields?: readonly string[];
}

export interface ReplyShape {
  readonly name: string;
  build(request: ReplyRequest): Buffer;
}

let replies = 0;

function shape(name: string, body: (draft: Draft) => Body): ReplyShape {
  return {
    name,
    build(request) {
      const original = Buffer.isBuffer(request.original) ? readOriginal(request.original) : request.original;
      const draft = { ...request, original, quoted: { ...original.from, date: original.date } };
      const { text, html, flowed, fields = [] } = body(draft);
      replies += 1;
      const head = [
        `From: ${draft.from}`,
        `To: ${draft.to}`,
        `Subject: ${encodedWord(draft.subject ?? `Re: ${original.subject}`)}`,
        'Date: Tue, 12 May 2026 12:00:00 +0000',
        `Message-ID: ${draft.messageId ?? `<reply-${replies}.${Date.now()}@there.example>`}`,
        `In-Reply-To: ${original.messageId}`,
        `References: ${original.messageId}`,
        ...fields,
      ];
      const plain =
        text === undefined
          ? []
          : [leaf({ type: `text/plain; charset=utf-8${flowed ? '; format=flowed' : ''}`, encoding: 'quoted-printable', content: text })];
      const marked = html === undefined ? [] : [leaf({ type: 'text/html; charset="utf-8"', encoding: 'base64', content: html })];
      const parts = [...plain, ...marked];
      return message(head, parts.length === 1 ? (parts[0] as string) : multipart('alternative', `=_reply_${replies}`, parts));
    },
  };
}

function encodedWord(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
}

function readOriginal(octets: Buffer): Original {
  const read = parseMessage(octets);
  const field = (name: string): string => read.all(name)[0] ?? '';
  const [, name = '', address = ''] = /^\s*"?([^"<]*?)"?\s*<([^>]*)>/.exec(field('from')) ?? ['', '', field('from')];
  const text =
    read
      .texts()
      .find(part => part.type === 'text/plain')
      ?.text.replaceAll('\r\n', '\n') ?? '';
  const html =
    read.texts().find(part => part.type === 'text/html')?.text ??
    text
      .split('\n')
      .map(line => `<div>${escapeHtml(line)}</div>`)
      .join('');
  const date = new Date(field('date'));
  return {
    messageId: field('message-id'),
    subject: field('subject'),
    from: { name: name === '' ? address : name, address },
    to: field('to'),
    date: Number.isNaN(date.getTime()) ? new Date(Date.UTC(2026, 4, 12, 10, 22)) : date,
    text: text === '' ? html.replace(/<[^>]*>/g, ' ') : text,
    html,
  };
}

const escapeHtml = (text: string): string => text.replace(/[&<>]/g, sign => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? '');
const lines = (text: string): string[] => text.replace(/\n+$/, '').split('\n');
const quote = (text: string, mark = '> '): string =>
  lines(text)
    .map(line => `${mark}${line}`.trimEnd())
    .join('\n');
const divs = (text: string): string =>
  lines(text)
    .map(line => (line === '' ? '<div><br></div>' : `<div>${escapeHtml(line)}</div>`))
    .join('\n');
const breaks = (text: string): string => lines(text).map(escapeHtml).join('<br>\n');
const anchored = (text: string): string => escapeHtml(text).replace(/&lt;([^&]+@[^&]+)&gt;/, '&lt;<a href="mailto:$1">$1</a>&gt;');

/** Wrapped at 76 columns, as Gmail and Thunderbird do. */
function wrap(text: string): string {
  const out: string[] = [''];
  for (const word of text.split(' ')) {
    const last = out.at(-1) as string;
    if (last !== '' && last.length + word.length > 75) out.push(word);
    else out[out.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return out.join('\n');
}

function headers({ original, language, quoted }: Draft, bold: boolean): string[] {
  const [from, sent, to, subject] = wordsOf(language).labels;
  const address = `${quoted.name} <${quoted.address}>`;
  const values = [
    [from, address],
    [sent, sentDate(language, original.date)],
    [to, original.to],
    [subject, original.subject],
  ] as const;
  const colon = language === 'fr' ? ' :' : ':';
  return values.map(([label, value]) => (bold ? `<b>${escapeHtml(label)}${colon}</b> ${escapeHtml(value)}` : `${label}${colon} ${value}`));
}

const GMAIL_QUOTE =
  '<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">';
const SEPARATOR = '<hr style="display:inline-block;width:98%" tabindex="-1">';

const gmail = (draft: Draft, direction: string): Body => {
  const by = attribution(draft.language, 'gmail', draft.quoted);
  return {
    text: `${draft.ownText}\n\n${wrap(by)}\n\n${quote(draft.original.text)}\n`,
    html: `<div dir="${direction}">${divs(draft.ownText)}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">${anchored(by)}<br></div>${GMAIL_QUOTE}${draft.original.html}</blockquote></div>\r\n`,
  };
};

const gmailBelow = (draft: Draft): Body => {
  const by = attribution(draft.language, 'gmail', draft.quoted);
  return {
    text: `${wrap(by)}\n\n${quote(draft.original.text)}\n\n${draft.ownText}\n`,
    html: `<div dir="ltr"><div dir="ltr"></div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">${anchored(by)}<br></div>${GMAIL_QUOTE}${draft.original.html}</blockquote><div><br></div>${divs(draft.ownText)}</div></div>\r\n`,
  };
};

const outlookDesktop = (draft: Draft): Body => ({
  text: `${draft.ownText}\n\n${headers(draft, false).join('\n')}\n\n${draft.original.text}\n`,
  html: `<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!-- p.MsoNormal, li.MsoNormal {margin:0cm;font-size:11.0pt;} --></style><!--[if gte mso 9]><xml><o:shapedefaults v:ext="edit" spidmax="1026" /></xml><![endif]--></head><body lang="EN-GB" link="#0563C1"><div class="WordSection1">${lines(
    draft.ownText,
  )
    .map(
      line =>
        `<p class="MsoNormal"><span style="mso-fareast-language:EN-US">${line === '' ? '<o:p>&nbsp;</o:p>' : `${escapeHtml(line)}<o:p></o:p>`}</span></p>`,
    )
    .join(
      '\r\n',
    )}<p class="MsoNormal"><o:p>&nbsp;</o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">${headers(draft, true).join('<br>')}<o:p></o:p></p></div></div>${draft.original.html}</div></body></html>`,
});

const outlookText = (draft: Draft): Body => ({
  text: `${draft.ownText}\n\n-----${wordsOf(draft.language).original}-----\n${headers(draft, false).join('\n')}\n\n${draft.original.text}\n`,
  fields: ['X-Mailer: Microsoft Outlook 16.0'],
});

const outlookWeb = (draft: Draft): Body => ({
  text: `${draft.ownText}\n\n${'_'.repeat(32)}\n${headers(draft, false).join('\n')}\n\n${draft.original.text}\n`,
  html: `<html><head><style type="text/css" style="display:none;"> P {margin-top:0;margin-bottom:0;} </style></head><body dir="ltr">${lines(
    draft.ownText,
  )
    .map(
      line =>
        `<div class="elementToProof" style="font-family: Aptos, Calibri; font-size: 12pt;">${line === '' ? '<br>' : escapeHtml(line)}</div>`,
    )
    .join(
      '\r\n',
    )}<div id="appendonsend"></div>${SEPARATOR}<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt" color="#000000">${headers(draft, true).join('<br>')}</font><div>&nbsp;</div></div><div>${draft.original.html}</div></body></html>`,
});

const outlookMobile = (draft: Draft): Body => {
  const mobile = wordsOf(draft.language).outlook;
  return {
    text: `${draft.ownText}\n\n${mobile}<https://aka.example/o0ukef>\n${'_'.repeat(32)}\n${headers(draft, false).join('\n')}\n\n${draft.original.text}\n`,
    html: `<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body><div dir="ltr">${divs(draft.ownText)}</div><div id="ms-outlook-mobile-body-separator-line" dir="ltr"><br></div><div dir="ltr" id="ms-outlook-mobile-signature"><a href="https://aka.example/o0ukef">${escapeHtml(mobile)}</a></div><div id="mail-editor-reference-message-container" class="ms-outlook-mobile-reference-message">${SEPARATOR}<div id="divRplyFwdMsg" dir="ltr">${headers(draft, true).join('<br>')}</div>${draft.original.html}</div></body></html>`,
  };
};

const apple = (draft: Draft, mobile: boolean): Body => {
  const by = attribution(draft.language, 'apple', draft.quoted);
  const signature = mobile ? wordsOf(draft.language).iphone : '';
  return {
    text: `${draft.ownText}\n\n${mobile ? `${signature}\n\n` : ''}> ${by}\n> \n${quote(draft.original.text)}\n`,
    html: `<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body dir="auto" style="overflow-wrap: break-word;">${divs(draft.ownText)}${mobile ? `<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">${escapeHtml(signature)}</div>` : ''}<div><br><blockquote type="cite"><div>${anchored(by)}</div><br class="Apple-interchange-newline"><div>${draft.original.html}</div></blockquote></div><br></body></html>`,
  };
};

const thunderbird = (draft: Draft): Body => {
  const by = attribution(draft.language, 'thunderbird', draft.quoted);
  return {
    text: `${draft.ownText}\n\n${by}\n${quote(draft.original.text)}\n`,
    html: `<!DOCTYPE html><html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8"></head><body>${draft.ownText
      .split('\n\n')
      .map(paragraph => `<p>${breaks(paragraph)}</p>`)
      .join(
        '\r\n',
      )}<div class="moz-cite-prefix">${escapeHtml(by)}<br></div><blockquote type="cite" cite="mid:${draft.original.messageId.slice(1, -1)}">${draft.original.html}</blockquote><br></body></html>`,
  };
};

/** RFC 3676: soft breaks in own words, quoted lines stuffed. */
const thunderbirdBelow = (draft: Draft): Body => ({
  text: `${attribution(draft.language, 'thunderbird', draft.quoted)}\n${quote(draft.original.text)}\n\n${lines(draft.ownText)
    .map(line => line.replace(/^(.{20,40}) /, '$1 \n'))
    .join('\n')}\n\n-- \nBob\nThere Ltd\n`,
  flowed: true,
});

const between = (draft: Draft): Body => {
  const [first = '', ...rest] = lines(draft.original.text);
  return {
    text: `${wrap(attribution(draft.language, 'thunderbird', draft.quoted))}\n\n> ${first}\n\n${draft.ownText}\n\n${quote(rest.join('\n'))}\n`,
  };
};

const yahoo = (draft: Draft): Body => {
  const by = attribution(draft.language, 'web', draft.quoted);
  return {
    text: ` ${draft.ownText}\n\n    ${by}  \n \n ${lines(draft.original.text).join('\n ')}\n`,
    html: `<html><head></head><body><div class="ydp1a2byahoo-style-wrap" style="font-size:13px;">${lines(draft.ownText)
      .map(line => `<div dir="ltr" data-setdir="false">${line === '' ? '<br>' : escapeHtml(line)}</div>`)
      .join(
        '',
      )}</div><div id="ydp7c8dyahoo_quoted_8123456789" class="ydp7c8dyahoo_quoted yahoo_quoted"><div style="font-size:13px;color:#26282a;"><div>${escapeHtml(by)}</div><div><br></div><div>${draft.original.html}</div></div></div></body></html>`,
  };
};

const proton = (draft: Draft): Body => {
  const by = attribution(draft.language, 'web', draft.quoted);
  return {
    text: `${draft.ownText}\n\nSent with [Proton Mail](https://proton.example/) secure email.\n\n${by}\n\n${quote(draft.original.text)}\n`,
    html: `${lines(draft.ownText)
      .map(line => `<div style="font-family: Arial, sans-serif; font-size: 14px;">${line === '' ? '<br>' : escapeHtml(line)}</div>`)
      .join(
        '',
      )}<div class="protonmail_signature_block"><div>Sent with <a href="https://proton.example/">Proton Mail</a> secure email.</div></div><div class="protonmail_quote">${anchored(by)}<br><blockquote class="protonmail_quote" type="cite">${draft.original.html}</blockquote><br></div>`,
  };
};

const samsung = (draft: Draft): Body => {
  const { samsung: signature, original } = wordsOf(draft.language);
  return {
    text: `${draft.ownText}\n\n${signature}\n\n-------- ${original} --------\n${headers(draft, false).join('\n')}\n\n${draft.original.text}\n`,
    html: `<html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8"></head><body dir="auto">${divs(draft.ownText)}<div dir="auto"><br></div><div id="composer_signature" dir="auto"><div style="font-size:12px;color:#575757" dir="auto">${escapeHtml(signature)}</div></div><div dir="auto"><br></div><div><br></div><div align="left" dir="auto" style="font-size:100%;color:#000000"><div>-------- ${escapeHtml(original)} --------</div><div>${headers(draft, false).map(escapeHtml).join('</div><div>')}</div><div><br></div></div>${draft.original.html}</body></html>`,
  };
};

const gmx = (draft: Draft): Body => {
  const [from = '', sent = '', to = '', subject = ''] = headers(draft, true);
  return {
    html: `<html><head></head><body><div style="font-family: Verdana;font-size: 12.0px;">${divs(draft.ownText)}<div>&nbsp;<div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; border-left:2px solid #C3D9E5;"><div style="margin:0 0 10px 0;">${[sent, from, to, subject].join('<br/>\n')}</div><div name="quoted-content">${draft.original.html}</div></div></div></div></body></html>`,
  };
};

const notes = (draft: Draft): Body => {
  const by = `-----${draft.quoted.name} <${draft.quoted.address}> ${wordsOf(draft.language).wrote}: -----`;
  const [from = '', sent = '', to = '', subject = ''] = headers(draft, false);
  return {
    text: `${draft.ownText}\n\n${by}\n${[to, from, sent, subject].join('\n')}\n\n${draft.original.text}\n`,
    html: `<font face="Default Sans Serif,Verdana,Arial" size="2">${divs(draft.ownText)}<div><br></div><font color="#990099">${escapeHtml(by)}</font><div class="iNotesHistory" style="padding-left:5px;"><div style="padding-right:0px;padding-left:5px;border-left:solid black 2px;">${[to, from, sent, subject].map(escapeHtml).join('<br>')}<br><br>${draft.original.html}</div></div></font>`,
  };
};

/** Without its text part: as programs send that make HTML alone, so that its marks are what is read. */
const htmlOnly =
  (body: (draft: Draft) => Body) =>
  (draft: Draft): Body => ({ html: body(draft).html ?? '' });

const MAKERS: readonly (readonly [string, (draft: Draft) => Body])[] = [
  ['Gmail on the web', draft => gmail(draft, 'ltr')],
  ['Gmail on a phone', draft => gmail(draft, 'auto')],
  ['Gmail on the web, below', gmailBelow],
  ['Outlook on the desktop', outlookDesktop],
  ['Outlook on the web', outlookWeb],
  ['Outlook on a phone', outlookMobile],
  ['Apple Mail', draft => apple(draft, false)],
  ['Apple Mail on a phone', draft => apple(draft, true)],
  ['Thunderbird', thunderbird],
  ['Yahoo', yahoo],
  ['Proton Mail', proton],
  ['Samsung', samsung],
  ['HCL Notes', notes],
];

/** As they are sent: text and HTML, or one of them. */
export const REPLY_SHAPES: readonly ReplyShape[] = [
  ...MAKERS.map(([name, body]) => shape(name, body)),
  ...MAKERS.map(([name, body]) => shape(`${name}, HTML only`, htmlOnly(body))),
  shape('GMX and web.de', gmx),
  shape('Outlook on the desktop, text only', outlookText),
  shape('Thunderbird, below', thunderbirdBelow),
  shape('between the quoted lines', between),
];
