/** The listener's golden dialogues, `test/dialogs/listener-*.smtp`; and that the runner notices a wrong word. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { accept, reject } from '../../src/mail/reply.ts';
import { playDialogue } from '../dialogs/run.ts';
import { OpenGate } from '../support/open-gate.ts';
import { listening } from './listening.ts';

const folder = join(import.meta.dirname, '../dialogs');
const gate = () =>
  new OpenGate({
    rcpt: async path =>
      path.startsWith('refused') ? reject(550, '5.7.1', 'Recipient may not be mailed (excluded) ref=0001') : accept(250, '2.1.5', 'OK'),
  });

for (const file of readdirSync(folder).filter(name => /^listener-.*\.smtp$/.test(name))) {
  t.test(file, async t => {
    const { port } = await listening(t, { gate: gate() });
    await t.resolves(playDialogue(readFileSync(join(folder, file), 'utf8'), port));
  });
}

t.test('the runner notices what differs, with its line', async t => {
  const { port } = await listening(t);
  await t.rejects(
    playDialogue('S: 220 other.example', port),
    /line 1: expected 220 other\.example\n {2}but the server said 220 gate\.example/,
  );
  await t.rejects(playDialogue('S: 220 <…>\nC: HELO x\nS: 250 gate', port), /line 3: expected 250 gate\n/);
  await t.rejects(
    playDialogue('S: 220 <…>\nC: EHLO x\nS: 250-gate.example\nC: QUIT', port),
    /line 4: the server also said \["250-PIPELINING"/,
  );
  await t.rejects(playDialogue('X: 220', port), /line 1 is no step/);
  await t.resolves(playDialogue('S: 220 <…>\nC: NOOP\nS: 250 2.<…> OK\nC: QUIT\nS: 221 <…>\nS: @closed', port));
});
