/** A mail server that brings back what people and machines answer, and what a test must know of it. */
import { dial } from './smtp-client.ts';

export interface Brought {
  /** One for each recipient. */
  readonly rcpts: readonly string[];
  /** To the final dot; to the command where it ended before. */
  readonly last: string;
}

/** Brings one message over a session of its own. Rejects where the connection goes. */
export async function bring(
  port: number,
  from: string,
  to: readonly string[],
  message: string | Buffer,
  waitMs = 60_000,
): Promise<Brought> {
  const client = await dial(port, { waitMs });
  try {
    await client.reply();
    await client.ask('EHLO mx.there.example');
    const mail = await client.ask(`MAIL FROM:<${from}>`);
    if (!mail.startsWith('250')) return { rcpts: [], last: mail };
    const rcpts: string[] = [];
    for (const one of to) rcpts.push(await client.ask(`RCPT TO:<${one}>`));
    const data = await client.ask('DATA');
    if (!data.startsWith('354')) return { rcpts, last: data };
    client.write(stuffed(Buffer.from(message)));
    client.write('.\r\n');
    return { rcpts, last: (await client.reply()).text };
  } finally {
    client.close();
  }
}

/** RFC 5321 §4.5.2; ends with CRLF. */
function stuffed(octets: Buffer): Buffer {
  const text = octets.toString('latin1').replace(/^\./gm, '..');
  return Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1');
}

export interface Answer {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  /** With angle brackets. */
  readonly inReplyTo?: string;
  readonly id: string;
}

/** What somebody writes with nothing around it. */
export function plainAnswer({ from, to, text, inReplyTo, id }: Answer): string {
  const fields = [
    `From: <${from}>`,
    `To: <${to}>`,
    'Subject: Re: Widgets for your line',
    'Date: Mon, 01 Jun 2026 11:00:00 +0000',
    `Message-ID: <${id}@there.example>`,
    ...(inReplyTo === undefined ? [] : [`In-Reply-To: ${inReplyTo}`, `References: ${inReplyTo}`]),
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
  ];
  return `${[...fields, '', text].join('\r\n')}\r\n`;
}

/** A field of a message as it went out, unfolded; empty where it has none. */
export function fieldOf(octets: Buffer, name: string): string {
  const header = octets.toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
  return new RegExp(`^${name}: *((?:.*(?:\\r\\n[ \\t])?)*)`, 'im').exec(header)?.[1]?.replace(/\r\n[ \t]+/g, ' ') ?? '';
}

/** The delivery report (RFC 3464) that a server sends of a message that it took and could not deliver. */
export function deliveryReport(returnPath: string, recipient: string, original: Buffer, status = '5.1.1'): string {
  const header = original.toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
  return [
    'From: MAILER-DAEMON@mx.there.example',
    `To: <${returnPath}>`,
    'Subject: Undelivered Mail Returned to Sender',
    'Date: Mon, 01 Jun 2026 11:00:00 +0000',
    `Message-ID: <report-${recipient.replace('@', '.')}@mx.there.example>`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="=_report"',
    '',
    '--=_report',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'I could not deliver your message.',
    '',
    '--=_report',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.there.example',
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    'Action: failed',
    `Status: ${status}`,
    `Diagnostic-Code: smtp; 550 ${status} <${recipient}>: no such user here`,
    '',
    '--=_report',
    'Content-Type: text/rfc822-headers',
    '',
    header,
    '',
    '--=_report--',
    '',
  ].join('\r\n');
}
