/** The log: an address never gets through, whatever an error message carries. */
import t from 'tap';
import { createLog, scrub } from '../../src/ops/log.ts';

t.test('law 7: addresses and URL credentials are cut from every line', async t => {
  const lines: string[] = [];
  const log = createLog('info', { write: line => void lines.push(line) });
  log.error({ err: new Error('550 <jane.doe@example.com> unknown') }, 'upstream said rcpt=jane@example.com');
  log.info({ url: 'smtps://user:secret@mail.example:465' }, 'connected');
  const all = lines.join('');
  t.notMatch(all, /jane|example\.com|secret/);
  t.match(all, 'smtps://mail.example:465');
  t.equal(JSON.parse(lines[0] ?? '').level, 'error');
});

t.test('what holds no address stays as it is', async t => {
  for (const text of ['plain words', '{"a":"b"}', 'lmdb:./data']) t.equal(scrub(text), text);
  t.equal(scrub('redis://:pw@10.0.0.1:6379/0'), 'redis://10.0.0.1:6379/0');
});
