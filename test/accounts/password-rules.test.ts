/** Passwords (NIST SP 800-63B §5.1.1.2): long, none of those that are guessed first, in one spelling, and nothing else asked. */
import t from 'tap';
import { passwordProblems, prepared } from '../../src/accounts/password-rules.ts';

t.test('what is guessed first', async t => {
  for (const password of [
    'passwordpassword',
    'Password2026!',
    'P@ssw0rd12345',
    '!!!welcome!!!',
    'qwertyuiop123',
    'QWERTY123456',
    '1q2w3e4r5t6y',
    '1qaz2wsx3edc',
    'aaaaaaaaaaaaaa',
    'abcabcabcabc',
    '123456789012',
    '210987654321',
    'abcdefghijklm',
    'zyxwvutsrqpon',
    'trustno1trustno1',
    'Jo.Miller2026',
    'postern-2026-11',
    'POSTERNpostern',
  ])
    t.match(passwordProblems(password, 'jo.miller'), [/guessed first/], password);
});

t.test('everything else that is long enough: any word within a sentence, any script, spaces, no rule of composition', async t => {
  for (const password of [
    'correct horse battery',
    'my password is long enough',
    'the postern of jo.miller',
    'only small letters',
    '839471056283',
    'Tr4-vaGkjMsnQw',
    'пароль из четырёх слов',
    '玉石混淆玉石混淆の門番は十二',
    '😀😃😄😁😆😅😂🤣😊😇🙂🙃',
    'ääääääöüßéèêëîïôûù',
    Array.from({ length: 64 }, (_, i) => String.fromCodePoint(0x1f600 + (i % 60))).join(''),
  ])
    t.same(passwordProblems(password, 'jo.miller'), [], password);
});

t.test('too short and too long', async t => {
  t.match(passwordProblems('elevenchars', 'jo'), [/12 characters at least/]);
  t.match(passwordProblems('😀😃😄😁😆😅😂🤣😊😇🙂', 'jo'), [/12 characters at least/], 'characters, not units of UTF-16');
  t.match(passwordProblems('x y'.repeat(86), 'jo'), [/256 octets at most/]);
});

t.test('one spelling, whatever keyboard it was typed on', async t => {
  t.equal(prepared('Ame\u0301lie im Gru\u0308nen'), prepared('Am\u00e9lie im Gr\u00fcnen'));
  t.equal(prepared('\uff50\uff41\uff53\uff53'), 'pass', 'full width');
});
