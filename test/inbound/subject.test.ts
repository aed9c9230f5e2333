/** The subject of a reply: decoded, without the marks of mail programs and gates. */
import t from 'tap';
import { subjectOf } from '../../src/inbound/subject.ts';
import { parseMessage } from '../../src/mail/message.ts';

const of = (subject: string): string => subjectOf(parseMessage(Buffer.from(`Subject: ${subject}\r\n\r\n`)));

t.test('marks before a subject mean nothing, however many', async t => {
  for (const mark of [
    ...[
      'Re:',
      'RE: ',
      'Re :',
      're:',
      'AW: ',
      'Antw: ',
      'SV: ',
      'VS: ',
      'RV: ',
      'Odp: ',
      'Ref: ',
      'R: ',
      'I: ',
      'Fwd: ',
      'FW: ',
      'WG: ',
      'TR: ',
      'RES: ',
    ],
    ...[
      'Re[2]: ',
      'Re(3): ',
      'Re^2: ',
      'Re2: ',
      'AW: WG: Re: ',
      'VB: ',
      'YNT: ',
      'İLT: ',
      'Vá: ',
      '回复：',
      '答复: ',
      '返信: ',
      'Отв: ',
      'ΑΠ: ',
      'Rif: ',
    ],
    ...[
      '[EXTERNAL] ',
      '[EXT] Re: ',
      'Re: [External Sender] ',
      '[EXTERN] AW: ',
      'EXTERNAL: ',
      '*** EXTERNAL *** ',
      '[SPAM] ',
      '{Spam?} Re: ',
    ],
    ...['=?utf-8?Q?R=C3=A9f_:_?=', '=?iso-8859-1?Q?AW=3A_?='],
  ])
    t.equal(of(`${mark}Take me off your list`), 'Take me off your list', mark);
});

t.test('words stay as they were written', async t => {
  for (const subject of [
    'Unsubscribe',
    'STOP',
    'Remove: me',
    'Automatic reply: away',
    'Research: a result',
    'Is 10: enough',
    '[Ticket 7] your order',
    'Rest',
  ])
    t.equal(of(subject), subject);
});

t.test('decoded (RFC 2047), folds and invisible characters taken out', async t => {
  t.equal(of('=?utf-8?B?UmU6IEFibWVsZGVuIGJpdHRlIPCfmYI=?='), 'Abmelden bitte 🙂');
  t.equal(of('=?iso-8859-1?Q?D=E9sinscription?=\r\n =?iso-8859-1?Q?_SVP?='), 'Désinscription SVP');
  t.equal(of('un\u200bsub\u00adscribe'), 'unsubscribe');
  t.equal(of('Re:'), '');
  t.equal(subjectOf(parseMessage(Buffer.from('To: a@b.example\r\n\r\n'))), '');
});

t.test('a megabyte of marks is bounded', async t => {
  const octets = Buffer.from(`Subject: ${'Re: '.repeat(250_000)}x\r\n\r\n`);
  t.ok(subjectOf(parseMessage(octets)).length <= 998);
});
