/** Tokens: what is made is read; nobody else's, no altered one and no other client's is. */
import { join } from 'node:path';
import t from 'tap';
import { addKey, createKeyring, loadKeyring } from '../../src/keys/keyring.ts';
import { TOKEN_CHARS, Tokens } from '../../src/keys/token.ts';

const AT = Date.UTC(2026, 10, 22);
const clock = { now: () => AT };
/** 6 octets of time, 4 of chance. */
const SEND = `${AT.toString(16).padStart(12, '0')}0a1b2c3d`;
const OTHERS = ['00000000000000000000', 'ffffffffffffffffffff', SEND];
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

async function ring(file: string, now = AT): Promise<Tokens> {
  return new Tokens(await loadKeyring({ file }, { now: () => now }));
}

async function fresh(t: { testdir(): string }): Promise<{ file: string; tokens: Tokens }> {
  const file = join(t.testdir(), 'postern.key');
  await createKeyring(file, clock);
  return { file, tokens: await ring(file) };
}

t.test('what a token says is read from it, in either case, and for its client only', async t => {
  const { tokens } = await fresh(t);
  for (const send of OTHERS) {
    for (const client of ['acme', 'a', 'x'.repeat(64)]) {
      const text = tokens.make(client, send);
      t.match(text, /^[a-z2-7]{36}$/);
      for (const spelled of [text, text.toUpperCase()]) {
        const token = tokens.read(spelled);
        t.match(token, { send, at: Number.parseInt(send.slice(0, 12), 16) });
        t.equal(token?.isOf(client), true);
        for (const other of ['other', 'acme2', '', client.toUpperCase()]) t.equal(token?.isOf(other), false, 'A1: no other client');
      }
    }
  }
  t.equal(tokens.make('acme', SEND), tokens.make('acme', SEND));
  t.not(tokens.make('acme', SEND), tokens.make('other', SEND));
});

t.test('a local part has room for it', async t => {
  const { tokens } = await fresh(t);
  t.equal(tokens.make('acme', SEND).length, TOKEN_CHARS);
  t.ok(`unsubscribe+${tokens.make('acme', SEND)}`.length <= 64);
});

t.test('no character can be another one', async t => {
  const { tokens } = await fresh(t);
  const text = tokens.make('acme', SEND);
  let refused = 0;
  for (let at = 0; at < text.length; at++) {
    for (const character of ALPHABET) {
      if (character === text[at]) continue;
      if (tokens.read(text.slice(0, at) + character + text.slice(at + 1)) === undefined) refused += 1;
    }
  }
  t.equal(refused, text.length * 31);
});

t.test('what is no token of ours is none, whatever it is', async t => {
  const { file, tokens } = await fresh(t);
  const text = tokens.make('acme', SEND);
  const cut = [text.slice(1), text.slice(0, -1), `${text}a`, ` ${text}`, `${text}\n`, '', '0'.repeat(36), 'a'.repeat(36), 'ſ'.repeat(36)];
  for (const other of cut) t.equal(tokens.read(other), undefined, JSON.stringify(other));
  const elsewhere = `${file}.other`;
  await createKeyring(elsewhere, clock);
  t.equal((await ring(elsewhere)).read(text), undefined, 'another key ring made it');
  t.throws(() => tokens.make('acme', 'no id'), RangeError);
  t.throws(() => tokens.make('acme', SEND.toUpperCase()), RangeError);
});

t.test('after a rotation, older tokens are read and newer ones made', async t => {
  const { file, tokens } = await fresh(t);
  const before = tokens.make('acme', SEND);
  await addKey(file, clock, AT + 1_000);
  const after = await ring(file, AT + 2_000);
  t.match(after.read(before), { send: SEND });
  t.equal(after.read(before)?.isOf('acme'), true);
  t.equal(after.read(before)?.isOf('other'), false);
  const newer = after.make('acme', SEND);
  t.not(newer, before);
  t.match((await ring(file)).read(newer), { send: SEND }, 'read ahead of its time by a gate that knows the new key');
  t.equal(tokens.read(newer), undefined, 'but not by one that does not');
});
