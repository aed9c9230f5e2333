/** `postern webhook`: what is told where, secrets printed once, what was given up and sending it again; on record, refusals by exit code. */
import t from 'tap';
import { openHouse } from '../../src/app.ts';
import { ACME } from '../support/acme.ts';
import { startShell } from '../support/command.ts';
import { mustAnswer, newSite } from '../support/site.ts';

const shell = startShell(t);

t.test('webhooks at the command line', async t => {
  const site = newSite();
  t.teardown(() => site.close());
  await site.addAcme();
  const run = (...args: string[]) => shell.run(['webhook', ...args, '--config', site.configFile], { cwd: site.dir });
  const json = async <T>(...args: string[]) => mustAnswer(await run(...args, '--json')).json<T>();

  t.same(await json('list', 'acme'), []);
  t.match(await run('add', 'nobody', 'https://hooks.example.com/x'), { code: 1, stderr: /no client 'nobody'/ });
  t.match(await run('add', 'acme', 'http://hooks.example.com/x'), { code: 2, stderr: /the URL is not https/ });
  t.match(await run('add', 'acme', 'https://10.0.0.1/x'), { code: 2, stderr: /private address/ });
  t.match(await run('add', 'acme', 'https://hooks.example.com/x', '--type', 'email.guessed'), {
    code: 2,
    stderr: /use some of email\.refused/,
  });
  const made = await json<{ id: string; secret: string }>(
    ...[
      'add',
      'acme',
      'https://hooks.example.com/x',
      '--type',
      'email.refused',
      'email.bounced',
      '--by',
      'Kim',
      '--why',
      'the new platform',
    ],
  );
  t.match(made, { id: /^ep_/, secret: /^whsec_/, types: ['email.refused', 'email.bounced'], waiting: 0, dead: 0 });
  const all = mustAnswer(await run('add', 'acme', 'https://hooks.example.com/all'));
  t.match(all.stdout, /^webhook ep_\w+\nsecret {2}whsec_\S+\nShown this once/);

  t.match(await json('show', 'acme', made.id), { id: made.id, url: 'https://hooks.example.com/x' });
  const listed = mustAnswer(await run('list', 'acme'));
  t.match(listed.stdout, new RegExp(`${made.id}  https://hooks\\.example\\.com/x +email\\.refused email\\.bounced +0 +0 +0  on`));
  for (const answer of [listed, await run('show', 'acme', made.id), await run('list', 'acme', '--json')])
    t.notMatch(answer.stdout, 'whsec_');
  const none = 'ep_000000000000000000';
  for (const args of [
    ['show', 'acme', none],
    ['update', 'acme', none, '--off'],
    ['rotate', 'acme', none],
    ['remove', 'acme', none],
    ['test', 'acme', none],
    ['deliveries', 'acme', none],
    ['replay', 'acme', none, '--all'],
  ])
    t.match(await run(...args), { code: 1, stdout: '', stderr: /postern webhook list acme names them/ }, args.join(' '));

  t.match(await run('update', 'acme', made.id), { code: 2, stderr: /nothing to change/ });
  t.match(await run('update', 'acme', made.id, '--on', '--off'), { code: 2, stderr: /not both/ });
  t.match(await json('update', 'acme', made.id, '--off', '--type', 'email.refused'), { disabled: 'operator', types: ['email.refused'] });
  t.match(await json('update', 'acme', made.id, '--on'), { types: ['email.refused'] });
  t.not((await json<{ secret: string }>('rotate', 'acme', made.id)).secret, made.secret);

  const { id: event } = await json<{ id: string }>('test', 'acme', made.id);
  t.match(await json('deliveries', 'acme', made.id, '--waiting'), [{ id: event, type: 'webhook.test', attempts: 0, last: null }]);
  t.same(await json('deliveries', 'acme', made.id), []);
  t.match(await run('replay', 'acme', made.id), { code: 2, stderr: /name one event, or --all/ });
  t.match(await run('replay', 'acme', made.id, event), { code: 1, stderr: /no dead event/ });
  const house = await openHouse({ file: site.configFile, env: {} });
  const [waiting] = (await house.outbox.page(ACME, made.id, 'waiting', { limit: 1 })).items;
  if (waiting === undefined) throw new Error('nothing waits');
  await house.outbox.again(ACME, made.id, waiting.key, { ...waiting.event, attempts: 10, last: 'status 500' }, undefined);
  await house.close();
  t.match(mustAnswer(await run('deliveries', 'acme', made.id)).stdout, new RegExp(`${event}  webhook\\.test  20\\S+Z +10  status 500`));
  t.same(await json('replay', 'acme', made.id, '--all'), { replayed: 1 });
  t.same(await json('deliveries', 'acme', made.id), []);

  t.same(await json('remove', 'acme', made.id, '--by', 'Kim'), { id: made.id, removed: true });
  t.match(await run('show', 'acme', made.id), { code: 1 });
  const trail = mustAnswer(await shell.run(['audit', 'show', 'acme', '--json', '--config', site.configFile], { cwd: site.dir }));
  const acts = trail.json<{ what: string; by: string; why?: string }[]>().filter(({ what }) => what.startsWith('webhook.'));
  t.same(acts.map(({ what }) => what).reverse(), [
    ...[
      'webhook.add',
      'webhook.add',
      'webhook.update',
      'webhook.update',
      'webhook.rotate',
      'webhook.test',
      'webhook.replay',
      'webhook.remove',
    ],
  ]);
  t.match(acts.at(-1), { by: 'Kim', why: 'the new platform' });
  t.notMatch(trail.stdout, 'whsec_');
});
