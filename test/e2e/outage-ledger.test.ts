/** A ledger and a vault in a Redis that goes away, freezes, forgets or comes back empty (law 1). */
import t from 'tap';
import { sendOne } from '../support/platform.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { defers, LISTED, withListed, works } from './deferring.ts';

t.test('law 1: a ledger and a vault in Redis', { skip: noRedis }, async t => {
  const synced = { args: ['--appendfsync', 'always'] };
  const [ledger, vault] = [await startRedis(t, synced), await startRedis(t, synced)];
  const { site } = await withListed(t, { ledger: { url: ledger.url }, keys: { vault: vault.url } });

  for (const [what, redis] of Object.entries({ ledger, vault })) {
    const away = new RegExp(`${what} redis://127\\.0\\.0\\.1:${redis.port} does not answer`);
    await t.test(`the ${what} is away at start: waited for`, async t => {
      await redis.kill();
      const gate = await site.serve();
      await defers(t, gate, away);
      t.match(await site.cli('suppress', 'acme', 'another@there.example'), { code: 75, stdout: '', stderr: away });
      await redis.restart();
      await works(t, gate);
      t.equal(await gate.stop(), 0);
    });
    await t.test(`the ${what} is frozen at start`, async t => {
      redis.freeze();
      const gate = await site.serve();
      await defers(t, gate, away);
      redis.thaw();
      await works(t, gate);
      t.equal(await gate.stop(), 0);
    });
    await t.test(`the ${what} may forget: refused at start`, async t => {
      await redis.restart(['--appendonly', 'no', '--dbfilename', 'other.rdb']);
      t.match(await site.cli('serve'), {
        code: 1,
        stderr: what === 'ledger' ? /ledger\.url: .* set appendonly yes/ : /keys\.vault: .* set appendonly yes/,
      });
      await redis.restart(synced.args);
    });
  }

  await t.test('both go while the gate runs: nobody listed passes, nothing is acknowledged, and it comes back', async t => {
    const gate = await site.serve();
    await works(t, gate);
    await Promise.all([ledger.kill(), vault.kill()]);
    for (let i = 0; i < 10; i++) t.match(await sendOne(gate.port, LISTED), { stage: 'rcpt', reply: /^(550 5\.7\.1|451 4\.3\.0) / });
    t.equal((await site.cli('suppress', 'acme', 'another@there.example')).code, 75);
    await Promise.all([ledger.restart(), vault.restart()]);
    await works(t, gate);
    t.equal(await gate.stop(), 0);
  });

  await t.test('the ledger comes back empty: it is missed, not begun anew', async t => {
    await ledger.empty();
    const gate = await site.serve();
    await defers(t, gate, /ledger redis:.* is missing or empty; put it back/);
    t.equal(await gate.stop(), 0);
  });
});
