/** Campaign messages as mail programs and plain scripts write them, each with its hostile twins. Written for the tests. */
import {
  ANN,
  header,
  htmlPolicy,
  leaf,
  message,
  multipart,
  ONE_CLICK,
  OPT_OUT,
  OPT_OUT_TEXT,
  type Shape,
  type Twist,
  textAlone,
  textBeside,
  UNSUBSCRIBE,
} from './platform-parts.ts';

/** A shape of one text part. */
function text(
  name: string,
  id: string,
  type: string,
  build: (twist: Twist) => string | Buffer,
  encoding: '7bit' | '8bit' | 'quoted-printable' | 'base64' = '7bit',
): Shape {
  return {
    name,
    reversePath: ANN,
    build: twist => message(header(id, ONE_CLICK), leaf({ type, encoding, content: build(twist) })),
  };
}

/** Desktop Outlook: Word's HTML, windows-1252, addresses in angle brackets beside their words in the text part. */
const outlook: Shape = {
  name: 'Outlook',
  reversePath: ANN,
  build(twist) {
    const html = `<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w="urn:schemas-microsoft-com:office:word" xmlns="http://www.w3.org/TR/REC-html40"><head><meta http-equiv=Content-Type content="text/html; charset=iso-8859-1"><meta name=Generator content="Microsoft Word 15 (filtered medium)"><!--[if !mso]><style>v\\:* {behavior:url(#default#VML);}</style><![endif]--><style><!--
/* Font Definitions */
@font-face {font-family:Calibri; panose-1:2 15 5 2 2 2 4 3 2 4;}
p.MsoNormal {margin:0cm; font-size:11.0pt; font-family:"Calibri",sans-serif;}
a:link {color:#0563C1; text-decoration:underline;}
--></style><!--[if gte mso 9]><xml><o:shapedefaults v:ext="edit" spidmax="1026" /></xml><![endif]--></head><body lang=EN-GB link="#0563C1" vlink="#954F72" style='word-wrap:break-word'><div class=WordSection1><p class=MsoNormal>Hi Bob, the caf\u00e9 charged \u00a340 \u0096 worth a call?<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal><span style='font-size:8.0pt;color:gray'>${htmlPolicy(twist, { hide: 'display:none;mso-hide:all' })} | ${OPT_OUT}<o:p></o:p></span></p></div></body></html>`;
    const plain = `Hi Bob, the caf\u00e9 charged \u00a340 \u0096 worth a call?\n\n${textBeside(twist, url => `Privacy policy<${url}>`)} | Unsubscribe<${UNSUBSCRIBE}>\n`;
    const latin1 = (content: string) => Buffer.from(content.replace(/\n/g, '\r\n'), 'latin1');
    const parts = [
      leaf({ type: 'text/plain; charset="Windows-1252"', encoding: 'quoted-printable', content: latin1(plain) }),
      leaf({ type: 'text/html; charset="Windows-1252"', encoding: 'quoted-printable', content: latin1(html) }),
    ];
    const own = [
      'Thread-Topic: Half an hour less per order',
      'Thread-Index: AdsQ8f2c41==',
      'Content-Language: en-GB',
      'X-MS-Has-Attach:',
      'X-Mailer: Microsoft Outlook 16.0',
    ];
    return message(
      header('outlook', [...own, ...ONE_CLICK]),
      multipart('alternative', '----=_NextPart_000_0012_01DB3A.8F2C41A0', parts, ';\r\n\tcharset="us-ascii"'),
    );
  },
};

/** Apple Mail: a commented version, its own boundary, an inline picture related to the HTML alternative. */
const apple: Shape = {
  name: 'Apple Mail',
  reversePath: ANN,
  build(twist) {
    const html = `<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body style="overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;">Hi Bob,<div><br></div><div>half an hour less – see the picture.</div><div><br></div><div><img apple-inline="yes" src="cid:8F2C41" width="120" height="40"></div><div><font size="1">${htmlPolicy(twist, { hide: 'visibility: hidden' })}&nbsp;<span class="Apple-tab-span" style="white-space:pre">\t</span>${OPT_OUT}</font></div></body></html>`;
    const related = multipart(
      'related',
      'Apple-Mail=_B2',
      [
        leaf({ type: 'text/html;\r\n\tcharset=utf-8', encoding: 'quoted-printable', content: html }),
        leaf({
          type: 'image/png;\r\n\tx-unix-mode=0666;\r\n\tname="logo.png"',
          encoding: 'base64',
          content: Buffer.from('iVBORw0KGgo=', 'base64'),
          fields: ['Content-Disposition: inline;\r\n\tfilename=logo.png', 'Content-Id: <8F2C41>'],
        }),
      ],
      ';\r\n\ttype="text/html"',
    );
    const plain = leaf({
      type: 'text/plain;\r\n\tcharset=utf-8',
      encoding: 'quoted-printable',
      content: `Hi Bob,\n\nhalf an hour less – see the picture.\n\n\n${textBeside(twist)}\n${OPT_OUT_TEXT}\n`,
    });
    const fields = header('apple', ['X-Mailer: Apple Mail (2.3774.300.61)', ...ONE_CLICK]);
    return message(fields, multipart('alternative', 'Apple-Mail=_A1', [plain, related]));
  },
};

/** Gmail on the web: short lines, `dir`, a signature. */
const gmail: Shape = {
  name: 'Gmail',
  reversePath: ANN,
  build(twist) {
    const html = `<div dir="ltr">Hi Bob,<div><br></div><div>half an hour less per order.<br clear="all"><div><br></div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature" data-smartmail="gmail_signature"><div dir="ltr">Ann<br>${htmlPolicy(twist, { hide: 'font-size:1px' })}</div></div></div></div>`;
    const parts = [
      leaf({
        type: 'text/plain; charset="UTF-8"',
        encoding: '7bit',
        content: `Hi Bob,\n\nhalf an hour less per order.\n\n-- \nAnn\n${textBeside(twist, url => `Privacy policy <${url}>`)}\n`,
      }),
      leaf({ type: 'text/html; charset="UTF-8"', encoding: 'quoted-printable', content: html }),
    ];
    return message(header('gmail', ONE_CLICK), multipart('alternative', '0000000000001a2b3c0627', parts));
  },
};

/** A newsletter with a file attached: the alternatives are a part of something larger. */
const attached: Shape = {
  name: 'with an attachment',
  reversePath: ANN,
  build(twist) {
    const body = multipart('alternative', 'alt', [
      leaf({
        type: 'text/plain; charset=utf-8',
        encoding: '8bit',
        content: `Grüße, anbei die Zahlen.\n\n${textBeside(twist)}\n${OPT_OUT_TEXT}`,
      }),
      leaf({
        type: 'text/html; charset=utf-8',
        encoding: '8bit',
        content: `<p>Grüße, anbei die Zahlen.</p><p>${htmlPolicy(twist, { hide: 'width:0;overflow:hidden;display:inline-block' })} ${OPT_OUT}</p>`,
      }),
    ]);
    const file = leaf({
      type: `application/pdf; name="=?utf-8?Q?Gr=C3=B6=C3=9Fen.pdf?="`,
      encoding: 'base64',
      content: Buffer.alloc(3000, '%PDF-'),
      fields: ["Content-Disposition: attachment; filename*=utf-8''Gr%C3%B6%C3%9Fen.pdf"],
    });
    return message(header('attached', ONE_CLICK), multipart('mixed', 'mix', [body, file]));
  },
};

/** Quoted-printable with the shortest lines that anybody sends: the address is broken over several. */
const softBreaks: Shape = {
  name: 'soft line breaks',
  reversePath: ANN,
  build(twist) {
    const long = (url: string) => `${url}?utm_source=newsletter&utm_medium=email&utm_campaign=half-an-hour-less-per-order`;
    const parts = [
      leaf(
        {
          type: 'text/plain; charset=utf-8',
          encoding: 'quoted-printable',
          content: `Grüße = half an hour less.\n${textBeside(twist, url => `Privacy policy: ${long(url)}`)}\n${OPT_OUT_TEXT}`,
        },
        30,
      ),
      leaf(
        {
          type: 'text/html; charset=utf-8',
          encoding: 'quoted-printable',
          content: `<p class=3D>Grüße</p><p>${htmlPolicy(twist, { wrap: long, hide: 'text-indent:-9999px' })} ${OPT_OUT}</p>`,
        },
        30,
      ),
    ];
    return message(header('soft', ONE_CLICK), multipart('alternative', '=_soft_8f2c41', parts));
  },
};

const hello = (policy: string) => `Hi Bob,\n\nhalf an hour less per order. Worth a call?\n\nAnn Archer, Acme\n${policy}\n${OPT_OUT_TEXT}\n`;
/** RFC 3676 with DelSp: a blank before a line end is taken away with it, so that an address may be broken. */
const flowed = (line: string) => line.replace(/(https:\/\/www\.acme\.example\/)(privacy)/, '$1 \n$2');
/** 日本語 (Japanese) and プライバシー (privacy) as ISO-2022-JP writes them. */
const JAPANESE = '\x1b$BF|K\\8l\x1b(B';
const PRIVACY_JP = '\x1b$B%W%i%$%P%7!<\x1b(B';

export const PROGRAM_SHAPES: readonly Shape[] = [
  outlook,
  apple,
  gmail,
  attached,
  softBreaks,
  text('plain text', 'plain', 'text/plain; charset=us-ascii', twist => hello(textAlone(twist))),
  {
    name: 'no MIME type at all',
    reversePath: ANN,
    build: twist => Buffer.from([...header('bare', ONE_CLICK), '', ...hello(textAlone(twist)).split('\n')].join('\r\n')),
  },
  text('base64 UTF-8', 'base64', 'text/plain; charset="utf-8"', twist => `Grüße, 日本語\n${hello(textAlone(twist))}`, 'base64'),
  text('format=flowed', 'flowed', 'text/plain; charset=utf-8; format=flowed', twist =>
    hello(textAlone(twist, url => `A long line that goes \non and on, and ends with our \nprivacy policy: ${url}`)),
  ),
  text('format=flowed, delsp=yes', 'delsp', 'text/plain; charset=utf-8; format=flowed; delsp=yes', twist =>
    hello(textAlone(twist, url => flowed(`Privacy policy: ${url}`))),
  ),
  text('ISO-2022-JP', 'jp', 'text/plain; charset=iso-2022-jp', twist =>
    hello(textAlone(twist, url => `${JAPANESE} ${PRIVACY_JP}: ${url}`)),
  ),
  text(
    'UTF-16 in base64',
    'utf16',
    'text/plain; charset=utf-16',
    twist => Buffer.from(`\ufeff${hello(textAlone(twist)).replace(/\n/g, '\r\n')}`, 'utf16le'),
    'base64',
  ),
];
