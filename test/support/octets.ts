/** Messages whose octets are easily changed on the way, for tests that compare what was sent with what arrived. */

export interface Sample {
  readonly name: string;
  /** Left side of its Message-ID. */
  readonly id: string;
  readonly octets: Buffer;
  /** Default: ann@acme.example to bob@there.example. */
  readonly from?: string;
  readonly to?: string;
  /** `to` as the far end is asked for it, where that is spelled otherwise: the gate hands on domains as A-labels. */
  readonly arrivesAt?: string;
  /** Needs SMTPUTF8. */
  readonly utf8?: true;
}

const HEAD = [
  'From: Ann Archer <ann@acme.example>',
  'To: bob@there.example',
  'Date: Tue, 17 Nov 2026 10:00:00 +0000',
  'MIME-Version: 1.0',
] as const;
const TEXT = ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'] as const;

/** `id` makes the Message-ID; `fields` come behind the usual ones. */
function message(id: string, fields: readonly string[], body: string, encoding: BufferEncoding = 'utf8'): Buffer {
  return Buffer.from(`${[...HEAD, `Message-ID: <${id}@acme.example>`, `Subject: ${id}`, ...fields].join('\r\n')}\r\n\r\n${body}`, encoding);
}

/** One of each kind; `tag` makes their Message-IDs unlike those of other runs. */
export function samples(tag: string): readonly Sample[] {
  const sample = (name: string, kind: string, fields: readonly string[], body: string, encoding?: BufferEncoding): Sample => {
    const id = `${tag}-${kind}`;
    return { name, id, octets: message(id, fields, body, encoding) };
  };
  const latin1 = ['Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: 8bit'];
  const long = `${'b'.repeat(998)}\r\n${'.'.repeat(998)}\r\n${'ü'.repeat(499)}\r\n`;
  return [
    sample('plain ASCII', 'plain', [], 'Hello Bob,\r\n\r\nall in seven bits.\r\n'),
    sample('UTF-8 in eight bits', 'utf8', TEXT, 'Grüße aus Köln, 日本語, 🚪\r\n'),
    sample('Latin-1 in eight bits', 'latin1', latin1, 'Gr\u00fc\u00dfe \u00a3\u00a0\r\n', 'latin1'),
    sample('lines of 998 octets', 'long', [`X-Long: ${'h'.repeat(990)}`, ...TEXT], long),
    sample('dots at line starts', 'dots', TEXT, '.\r\n..\r\n...\r\n.x\r\n ..\r\n.\r\n\r\n.\r\n'),
    sample('an empty body', 'empty', [], ''),
    sample('a body of empty lines', 'blank', [], '\r\n\r\n\r\n'),
    sample('blanks at line ends', 'blanks', TEXT, 'one \r\ntwo\t\r\n   \r\n\t\r\n-- \r\nAnn  \r\n\r\n\r\n'),
    { name: 'a header of many spellings', id: `${tag}-header`, octets: spelled(`${tag}-header`) },
  ];
}

/** Local parts and domains beyond ASCII, in the envelope and in a raw UTF-8 header. */
export function international(tag: string): Sample {
  const [from, to] = ['jürgen@acme.example', 'δοκιμή@παράδειγμα.example'];
  const head = [
    `From: Jürgen Groß <${from}>`,
    `To: ${to}`,
    'Date: Tue, 17 Nov 2026 10:00:00 +0000',
    `Message-ID: <${tag}-eai@acme.example>`,
    'Subject: Grüße, roh',
    'MIME-Version: 1.0',
    ...TEXT,
  ];
  return {
    name: 'international addresses',
    arrivesAt: 'δοκιμή@xn--hxajbheg2az3al.example',
    id: `${tag}-eai`,
    from,
    to,
    utf8: true,
    octets: Buffer.from(`${head.join('\r\n')}\r\n\r\nGrüße\r\n`),
  };
}

function spelled(id: string): Buffer {
  return Buffer.from(
    [
      'received: from inside.acme.example by out.acme.example; Tue, 17 Nov 2026 09:59:59 +0000',
      'X-Empty:',
      'X-Folded: one ',
      '\ttwo  ',
      '   three',
      'X-twice: 1',
      'X-Twice: 2',
      `MESSAGE-ID:<${id}@acme.example>`,
      'subject:  =?utf-8?Q?Gr=C3=BC=C3=9Fe?=   ',
      'from:"Archer, Ann" <ann@acme.example>',
      'TO:bob@there.example',
      'date: Tue, 17 Nov 2026 10:00:00 +0000 (GMT)',
      '',
      'Hello',
      '',
    ].join('\r\n'),
  );
}

/** About `size` octets of pseudo-random attachment, the same on every run. */
export function withAttachment(tag: string, size: number): Sample {
  const bytes = Buffer.alloc(Math.floor((size * 3) / 4));
  for (let i = 0, state = 1; i < bytes.length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 24;
  }
  const lines = bytes.toString('base64').replace(/.{76}/g, '$&\r\n');
  const id = `${tag}-attachment`;
  const octets = message(
    id,
    ['Content-Type: multipart/mixed; boundary="=_x"'],
    [
      '--=_x',
      ...TEXT,
      '',
      'See the file.',
      '--=_x',
      'Content-Type: application/octet-stream; name="data.bin"',
      'Content-Disposition: attachment; filename="data.bin"',
      'Content-Transfer-Encoding: base64',
      '',
      lines,
      '--=_x--',
      '',
    ].join('\r\n'),
  );
  return { name: 'a big attachment', id, octets };
}
