/** How mail programs shape an answer to a campaign mail: what the person typed, and around it what they never wrote. */

export interface Answering {
  readonly from: string;
  readonly to: string;
  /** What the person types. */
  readonly text: string;
  /** Message-ID of what is answered, with angle brackets. */
  readonly inReplyTo: string;
  /** The text of what is answered, lines parted by \n. */
  readonly original: string;
  readonly id: string;
}

type Program = (answering: Answering) => string;

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const html = (text: string) => escaped(text).replaceAll('\n', '<br>\n');
const quoted = (text: string) => text.replace(/^/gm, '> ');

function message({ from, to, inReplyTo, id }: Answering, more: readonly string[], body: string): string {
  const fields = [
    `From: Somebody <${from}>`,
    `To: <${to}>`,
    'Subject: Re: Widgets for your line',
    'Date: Mon, 01 Jun 2026 11:00:00 +0200',
    `Message-ID: <${id}@there.example>`,
    `In-Reply-To: ${inReplyTo}`,
    `References: ${inReplyTo}`,
    'MIME-Version: 1.0',
    ...more,
  ];
  return `${fields.join('\r\n')}\r\n\r\n${body.replace(/\r?\n/g, '\r\n')}\r\n`;
}

function alternatives(answering: Answering, more: readonly string[], text: string, page: string): string {
  const parts = [
    ['text/plain; charset="UTF-8"', text],
    ['text/html; charset="UTF-8"', page],
  ].map(([type, body]) => `--=_b\nContent-Type: ${type}\n\n${body}\n`);
  return message(answering, [...more, 'Content-Type: multipart/alternative; boundary="=_b"'], `${parts.join('\n')}\n--=_b--`);
}

export const MAIL_PROGRAMS: Readonly<Record<string, Program>> = {
  Gmail: answering => {
    const { text, original, to } = answering;
    // It wraps the attribution where a line grows long.
    const wrote = `On Mon, Jun 1, 2026 at 10:00 AM Acme Sales <${to}>\nwrote:`;
    return alternatives(
      answering,
      [],
      `${text}\n\n${wrote}\n\n${quoted(original)}`,
      `<div dir="ltr">${html(text)}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">${html(wrote)}<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex">${html(original)}</blockquote></div>`,
    );
  },
  'Outlook, text': answering => {
    const { text, original, to } = answering;
    // Nothing is quoted: what stands below the header block is the other's.
    const block = `-----Original Message-----\nFrom: Acme Sales <${to}>\nSent: Monday, June 1, 2026 10:00 AM\nTo: Somebody\nSubject: Widgets for your line`;
    return message(
      answering,
      ['Content-Type: text/plain; charset="utf-8"', 'X-Mailer: Microsoft Outlook 16.0'],
      `${text}\n\n${block}\n\n${original}`,
    );
  },
  'Outlook, HTML': answering => {
    const { text, original, to } = answering;
    return message(
      answering,
      ['Content-Type: text/html; charset="utf-8"', 'X-MS-Exchange-Organization-SCL: -1', 'X-Auto-Response-Suppress: DR, OOF, AutoReply'],
      `<html><body><div class="WordSection1"><p class="MsoNormal">${html(text)}</p></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><b>From:</b> Acme Sales &lt;${to}&gt;<br><b>Sent:</b> Monday, June 1, 2026 10:00 AM<br><b>Subject:</b> Widgets for your line</div><div>${html(original)}</div></body></html>`,
    );
  },
  'Apple Mail': answering => {
    const { text, original, to } = answering;
    const wrote = `On 1. Jun 2026, at 10:00, Acme Sales <${to}> wrote:`;
    return alternatives(
      answering,
      ['X-Mailer: Apple Mail (2.3776.700.51)'],
      `${text}\n\n${quoted(`${wrote}\n\n${original}`)}`,
      `<html><body>${html(text)}<br><div><br><blockquote type="cite"><div>${html(wrote)}</div><br><div>${html(original)}</div></blockquote></div></body></html>`,
    );
  },
  Thunderbird: answering => {
    const { text, original } = answering;
    // The answer stands below.
    return message(
      answering,
      ['Content-Type: text/plain; charset=UTF-8; format=flowed', 'User-Agent: Mozilla Thunderbird'],
      `On 6/1/26 10:00, Acme Sales wrote:\n${quoted(original)}\n\n${text}`,
    );
  },
};
