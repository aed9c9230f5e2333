/** Keys, vault, ledger or store that are missing, foreign or away: the gate stays up and says 451, commands say what to mend (law 1). */
import { randomBytes } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { defers, withListed, works } from './deferring.ts';

t.test('law 1: foreign keys, a wrong folder, a ledger of others: a gate started so defers everything', async t => {
  const [all, other] = [await withListed(t), await withListed(t)];
  const { site, sink } = all;
  const cases = [
    {
      what: 'another key file',
      env: { POSTERN_KEYS_FILE: join(other.site.dir, 'keys/postern.key') },
      why: /belongs to another key ring/,
      code: 75,
    },
    {
      what: 'another master key',
      env: { POSTERN_KEYS_MASTER: randomBytes(32).toString('base64url') },
      why: /belongs to another key ring/,
      code: 75,
    },
    {
      what: 'a wrong folder',
      env: { POSTERN_STORE_URL: 'lmdb:./elsewhere' },
      why: /the store is empty, but .* are not new: it was lost or store\.url is wrong/,
      // The gate has made the folder, and left it without a store.
      code: 1,
      says: /There is no store at lmdb:.*elsewhere/,
    },
    {
      what: 'the ledger of another key ring',
      env: { POSTERN_LEDGER_URL: `file:${join(other.site.dir, 'ledger/objections.log')}` },
      why: /ledger file:.* belongs to another key ring; set keys\.file or ledger\.url/,
      code: 1,
    },
  ];
  for (const { what, env, why, code, says = why } of cases) {
    await t.test(what, async t => {
      const gate = await site.serve(env);
      await defers(t, gate, why);
      t.equal(await gate.stop(), 0);
      t.match(await site.cliWith(env, 'list', 'show', 'acme'), { code, stdout: '', stderr: says }, 'a command names it and fails');
    });
  }
  t.equal(sink.transactions.length, 0);
  const gate = await site.serve();
  await works(t, gate);
  t.equal(await gate.stop(), 0);
});

t.test('law 1: a ledger, a vault or a key ring that is gone', async t => {
  const { site } = await withListed(t);
  const path = (name: string) => join(site.dir, name);
  const lost = async (t: Test, name: string, why: RegExp, code: number) => {
    renameSync(path(name), path('aside'));
    const gate = await site.serve();
    await defers(t, gate, why);
    t.match(await site.cli('suppress', 'acme', 'another@there.example'), { code, stdout: '', stderr: why }, 'a command names it and fails');
    t.notOk(existsSync(path(name)), 'and it was not made anew');
    renameSync(path('aside'), path(name));
    await works(t, gate);
    t.equal(await gate.stop(), 0);
  };
  await t.test('the ledger: mail passes again as soon as it is back', t =>
    lost(t, 'ledger/objections.log', /objections\.log is missing or empty; put it back/, 1),
  );
  await t.test('the vault: likewise', t =>
    lost(t, 'keys/clients', /the vault has no key of this store: restore it or name the right one/, 75),
  );
  await t.test('the key ring: without it there is no gate', async t => {
    renameSync(path('keys/postern.key'), path('aside'));
    const missing = {
      code: 1,
      stdout: '',
      stderr: /postern\.key is missing, but the store is not new: restore the key ring \(keys\.file\)/,
    };
    t.match(await site.cli('serve'), missing);
    t.match(await site.cli('list', 'show', 'acme'), missing);
    t.notOk(existsSync(path('keys/postern.key')), 'and it was not made anew');
  });
});
