/** Whole messages for the two checks of what a reader sees, read by the real parser. */
import { type Message, parseMessage } from '../../src/mail/message.ts';

const HEADER = ['From: Robin <robin@client.example>', 'To: sam@widgets.example', 'Subject: Hiring in Leeds', 'MIME-Version: 1.0'];

export interface Part {
  readonly type: string;
  readonly body: string;
  readonly encoding?: '8bit' | 'base64' | 'quoted-printable';
  readonly disposition?: string;
}

export function plain(body: string): Part {
  return { type: 'text/plain; charset=utf-8', body };
}

export function html(body: string): Part {
  return { type: 'text/html; charset=utf-8', body };
}

/** One part, or several in a multipart/<subtype>. */
export function letter(parts: Part | readonly Part[], subtype = 'alternative', extra: readonly string[] = []): Message {
  return parseMessage(Buffer.from([...HEADER, ...extra, ...('type' in parts ? lines(parts) : multipart(parts, subtype))].join('\r\n')));
}

/** A multipart as a part of another. */
export function nested(parts: readonly Part[], subtype: string): Part {
  const [type = '', ...rest] = multipart(parts, subtype);
  return { type: type.replace('Content-Type: ', ''), body: rest.slice(1).join('\r\n') };
}

let boundaries = 0;

function multipart(parts: readonly Part[], subtype: string): readonly string[] {
  const boundary = `=_b${boundaries++}`;
  const inside = parts.flatMap(part => [`--${boundary}`, ...lines(part)]);
  return [`Content-Type: multipart/${subtype}; boundary="${boundary}"`, '', ...inside, `--${boundary}--`, ''];
}

function lines({ type, body, encoding, disposition }: Part): readonly string[] {
  return [
    `Content-Type: ${type}`,
    ...(encoding === undefined ? [] : [`Content-Transfer-Encoding: ${encoding}`]),
    ...(disposition === undefined ? [] : [`Content-Disposition: ${disposition}`]),
    '',
    encode(body.replace(/\r?\n/g, '\r\n'), encoding),
  ];
}

function encode(body: string, encoding: Part['encoding']): string {
  const octets = Buffer.from(body);
  if (encoding === 'base64') return octets.toString('base64').replace(/.{76}/g, '$&\r\n');
  if (encoding !== 'quoted-printable') return body;
  const quoted = [...octets].map(octet =>
    octet < 33 || octet > 126 || octet === 61 ? `=${octet.toString(16).toUpperCase().padStart(2, '0')}` : String.fromCharCode(octet),
  );
  const rows: string[] = [];
  for (let at = 0; at < quoted.length; at += 24) rows.push(quoted.slice(at, at + 24).join(''));
  return rows.join('=\r\n');
}
