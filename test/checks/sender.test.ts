/** Tests of who a message says it is from. */
import t from 'tap';
import { sender } from '../../src/checks/sender.ts';
import { address, message, submission, told } from './asking.ts';

const check = sender.create({}, {});
const FOREIGN = '550 5.7.1 Message may not be sent (sender) | sender';
const UNCLEAR = '554 5.6.0 Message may not be sent (sender) | sender';
const profile = { fromDomains: ['acme.example', 'acme.test'], returnPathDomains: ['bounces.platform.example'] };

t.test('A1, A33: the reverse-path, early and at the dot', async t => {
  for (const [from, expected] of [
    ['bounce@acme.example', 'pass'],
    ['bounce@mail.acme.example', 'pass'],
    ['bounce@ACME.test', 'pass'],
    ['v1=jane=x@bounces.platform.example', 'pass'],
    ['v1@eu.bounces.platform.example', 'pass'],
    ['<>', 'pass'],
    ['bounce@platform.example', FOREIGN],
    ['bounce@notacme.example', FOREIGN],
    ['bounce@acme.example.evil.example', FOREIGN],
    ['bounce@other.example', FOREIGN],
  ] as const) {
    const asked = submission({ from, profile });
    t.equal(told(await check.rcpt?.(address('jane@widgets.example'), asked)), expected, `${from} at RCPT`);
    t.equal(told(await check.endOfData?.(message('From: a@acme.example'), asked)), expected, `${from} at the dot`);
  }
});

t.test("A1, A33: exactly one From, readable in one way, all of it the client's", async t => {
  for (const [header, expected] of [
    [['From: Jane <jane@acme.example>'], 'pass'],
    [['From: jane@news.acme.example'], 'pass'],
    [['FROM: "a@evil.example" <jane@ACME.example>'], 'pass'],
    [['From: a@acme.example, b@acme.test'], 'pass'],
    [['From: Team: a@acme.example, b@acme.test;'], 'pass'],
    [['From: a@acme.example, b@other.example'], FOREIGN],
    [['From: jane@other.example'], FOREIGN],
    [['From: jane@bounces.platform.example'], FOREIGN],
    [['From: jane@notacme.example'], FOREIGN],
    [['From: jane@acme.example.evil.example'], FOREIGN],
    [[], UNCLEAR],
    [['Subject: Hi'], UNCLEAR],
    [['From: a@acme.example', 'From: a@acme.example'], UNCLEAR],
    [['From: a@acme.example', 'FROM: ceo@other.example'], UNCLEAR],
    [['From: nobody:;'], UNCLEAR],
    [['From: '], UNCLEAR],
    [['From: Jane'], UNCLEAR],
    [['From: a@other.example <jane@acme.example>'], UNCLEAR],
    [['From: <ceo@other.example> <jane@acme.example>'], UNCLEAR],
    [['From: jane@acme.example (ceo@other.example)'], UNCLEAR],
    [['From: jane@acme.example@other.example'], UNCLEAR],
  ] as const) {
    t.equal(told(await check.endOfData?.(message(...header), submission({ profile }))), expected, header.join(' / ') || 'no header');
  }
});

t.test("A1: a Sender field is one mailbox, the client's or a registered one", async t => {
  for (const [header, expected] of [
    ['Sender: news@acme.example', 'pass'],
    ['Sender: news@bounces.platform.example', 'pass'],
    ['Sender: ceo@other.example', FOREIGN],
    ['Sender: a@acme.example, b@acme.example', UNCLEAR],
    ['Sender: nobody:;', UNCLEAR],
    ['Sender: acme', UNCLEAR],
  ] as const) {
    t.equal(told(await check.endOfData?.(message('From: jane@acme.example', header), submission({ profile }))), expected, header);
  }
  const twice = message('From: jane@acme.example', 'Sender: a@acme.example', 'Sender: b@acme.example');
  t.equal(told(await check.endOfData?.(twice, submission({ profile }))), UNCLEAR, 'two Sender fields');
});

t.test('no reason holds an address', async t => {
  for (const verdict of [
    await check.rcpt?.(address('jane@widgets.example'), submission({ from: 'ceo@other.example' })),
    await check.endOfData?.(message('From: ceo@other.example'), submission()),
    await check.endOfData?.(message('From: a@acme.example', 'Sender: ceo@other.example'), submission()),
    await check.endOfData?.(message('From: ceo@other.example <a@acme.example>'), submission()),
  ]) {
    t.match(verdict?.reason, /\w/);
    t.notMatch(verdict?.reason, /@|other\.example/);
  }
});
