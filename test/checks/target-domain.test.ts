/** Tests of target domains. */
import t from 'tap';
import { targetDomain } from '../../src/checks/target-domain.ts';
import { type Asked, address, submission, told } from './asking.ts';

const check = targetDomain.create({}, {});
const OFF = '550 5.7.1 Recipient may not be mailed (off-target) | off-target';

t.test('A10: label boundaries', async t => {
  const asked: Asked = { campaigns: { q3: ['widgets.example', 'xn--mnchen-3ya.example'] }, named: ['q3'] };
  for (const [rcpt, expected] of [
    ['jane@widgets.example', 'pass'],
    ['jane@WIDGETS.Example', 'pass'],
    ['jane@widgets.example.', 'pass'],
    ['jane@mail.widgets.example', 'pass'],
    ['jane@a.b.widgets.example', 'pass'],
    ['jane@münchen.example', 'pass'],
    ['jane@notwidgets.example', OFF],
    ['jane@widgets.example.evil.example', OFF],
    ['jane@widgets.example-evil.example', OFF],
    ['jane@widgets.com', OFF],
    ['widgets.example@evil.example', OFF],
    ['jane@example.widgets', OFF],
  ] as const) {
    t.equal(told(await check.rcpt?.(address(rcpt), submission(asked))), expected, rcpt);
  }
});

t.test('A10: several campaigns, none, and campaigns without a limit', async t => {
  const campaigns = { a: ['widgets.example'], b: ['widgets.example', 'gadgets.example'], free: [] };
  for (const [what, asked, rcpt, expected] of [
    ['no campaign known at RCPT', { campaigns, named: [] }, 'x@elsewhere.example', 'pass'],
    ['a client without campaigns', {}, 'x@elsewhere.example', 'pass'],
    ['an unlimited campaign', { campaigns, named: ['free'] }, 'x@elsewhere.example', 'pass'],
    ['both named: both must hold it', { campaigns, named: ['a', 'b'] }, 'x@gadgets.example', OFF],
    ['both named and held', { campaigns, named: ['a', 'b'] }, 'x@widgets.example', 'pass'],
    ['named beside an unlimited one', { campaigns, named: ['a', 'free'] }, 'x@gadgets.example', OFF],
    ['none named: one must hold it', { campaigns }, 'x@gadgets.example', 'pass'],
    ['none named: none holds it', { campaigns }, 'x@elsewhere.example', OFF],
    ['none named, none limited', { campaigns: { free: [] } }, 'x@elsewhere.example', 'pass'],
  ] as const) {
    t.equal(told(await check.rcpt?.(address(rcpt), submission(asked as Asked))), expected, what);
  }
});

t.test('the reason names the campaign, never the recipient', async t => {
  const verdict = await check.rcpt?.(
    address('jane@elsewhere.example'),
    submission({ campaigns: { q3: ['widgets.example'] }, named: ['q3'] }),
  );
  t.match(verdict?.reason, /q3/);
  t.notMatch(verdict?.reason, /jane|elsewhere/);
});

t.test("law 1: a campaign that is not the client's is no clearance", async t => {
  t.throws(() => check.rcpt?.(address('jane@widgets.example'), submission({ campaigns: {}, named: ['ghost'] })), /not registered/);
});
