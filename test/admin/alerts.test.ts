/** Alarms at the admin API's door: log-ins and API tokens that are wrong. */
import t from 'tap';
import { newOffice } from './support.ts';

t.test('A34: failed log-ins alarm, once for an address, whatever was tried', async t => {
  const settings = { log: { level: 'error' }, alerts: { failedLogins: { perAddress: 4 } } };
  const office = await newOffice(t, { settings });
  const raised = async () => {
    const { values } = await office.house.metrics.alarms.get();
    return values.filter(({ value }) => value > 0).map(({ labels, value }) => `${labels.alarm} ${value}`);
  };
  const { name } = await office.token('admin');
  for (let i = 0; i < 2; i++)
    t.equal((await office.ask('POST', '/v1/session', { account: name, password: `wrong password ${i}` })).status, 401);
  t.equal((await office.withToken('postern_made-up')('GET', '/v1/global/audit')).status, 401);
  t.equal((await office.ask('GET', '/v1/global/audit')).status, 401, 'who shows nothing has not tried');
  t.same(await raised(), []);
  t.equal((await office.withToken('postern_made-up')('GET', '/v1/global/audit')).status, 401);
  t.same(await raised(), ['failed-logins 1']);
  t.equal((await office.ask('POST', '/v1/session', { account: 'nobody', password: 'wrong password' })).status, 401);
  t.same(await raised(), ['failed-logins 1']);
});
