/** AUTH PLAIN and LOGIN as exchanges. */
import t from 'tap';
import { replyLine } from '../../src/mail/reply.ts';
import { beginSasl, type Step } from '../../src/smtp/sasl.ts';

const b64 = (text: string) => Buffer.from(text).toString('base64');

function play(mechanism: string, initial: string | undefined, ...lines: string[]): string {
  let step: Step = beginSasl(mechanism, initial);
  const asked: string[] = [];
  for (const line of lines) {
    if (!('challenge' in step)) break;
    asked.push(Buffer.from(step.challenge, 'base64').toString());
    step = step.next(line);
  }
  const end = 'refusal' in step ? replyLine(step.refusal).slice(0, 9) : 'username' in step ? `${step.username}/${step.password}` : 'open';
  return [...asked, end].join('|');
}

t.test('every way through', async t => {
  const table: [string, string, string | undefined, ...string[]][] = [
    ['u/p', 'PLAIN', b64('\0u\0p')],
    ['u/p', 'plain', b64('u\0u\0p')],
    ['|u/p', 'PLAIN', undefined, b64('\0u\0p')],
    ['ü/pä', 'PLAIN', b64('\0ü\0pä')],
    ['u/', 'PLAIN', b64('\0u\0')],
    ['Username:|Password:|u/p', 'LOGIN', undefined, b64('u'), b64('p')],
    ['Password:|u/p', 'LOGIN', b64('u'), b64('p')],
    ['Password:|u/', 'LOGIN', b64('u'), ''],
    ['535 5.7.8', 'PLAIN', b64('other\0u\0p')],
    ['501 5.5.2', 'PLAIN', '='],
    ['501 5.5.2', 'PLAIN', b64('u\0p')],
    ['501 5.5.2', 'PLAIN', b64('\0u\0p\0x')],
    ['501 5.5.2', 'PLAIN', b64('u\0\0p')],
    ['501 5.5.2', 'PLAIN', 'AHUAcA'],
    ['501 5.5.2', 'PLAIN', 'AHU!AHA='],
    ['501 5.5.2', 'PLAIN', Buffer.from('\0\xff\0p', 'latin1').toString('base64')],
    ['|501 5.5.2', 'PLAIN', undefined, '*'],
    ['Username:|501 5.5.2', 'LOGIN', undefined, '*'],
    ['Username:|Password:|501 5.5.2', 'LOGIN', undefined, b64('u'), '*'],
    ['Username:|501 5.5.2', 'LOGIN', undefined, ''],
    ['Username:|501 5.5.2', 'LOGIN', undefined, 'not base64'],
    ['504 5.5.4', 'XOAUTH2', undefined],
    ['504 5.5.4', 'CRAM-MD5', undefined],
    ['504 5.5.4', 'XCLIENT', 'u'],
  ];
  for (const [expected, mechanism, initial, ...lines] of table)
    t.equal(play(mechanism, initial, ...lines), expected, `${mechanism} ${initial ?? ''} ${lines.join(' ')}`);
});
