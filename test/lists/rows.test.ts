/** A18: list files as they come: encodings, line ends, CSV and plain lines, headers of the platforms' exports. */
import t from 'tap';
import { columnsOf, columnsWithoutHeader, meaningOf } from '../../src/lists/columns.ts';
import { entryCell } from '../../src/lists/row-entry.ts';
import { readRows } from '../../src/lists/rows.ts';

async function rows(content: Buffer | string, chunkSize = 7): Promise<unknown[]> {
  const octets = Buffer.from(content as string);
  async function* chunks() {
    for (let i = 0; i < octets.length; i += chunkSize) yield octets.subarray(i, i + chunkSize);
  }
  const result: unknown[] = [];
  for await (const some of readRows(chunks()))
    for (const row of some) result.push('broken' in row ? [row.line, 'broken'] : [row.line, ...row.cells]);
  return result;
}

t.test('A18: encodings and line ends', async t => {
  const expected = [
    [1, 'a@example.com'],
    [2, 'b@example.org'],
  ];
  const utf16 = (text: string, bom: boolean) => Buffer.from((bom ? '\ufeff' : '') + text, 'utf16le');
  const table: [string, Buffer | string][] = [
    ['LF', 'a@example.com\nb@example.org\n'],
    ['no final line end', 'a@example.com\nb@example.org'],
    ['CRLF', 'a@example.com\r\nb@example.org\r\n'],
    ['CR', 'a@example.com\rb@example.org\r'],
    ['UTF-8 BOM', '\ufeffa@example.com\nb@example.org\n'],
    ['UTF-16LE with BOM', utf16('a@example.com\r\nb@example.org\r\n', true)],
    ['UTF-16LE without BOM', utf16('a@example.com\nb@example.org', false)],
    ['UTF-16BE with BOM', utf16('a@example.com\nb@example.org\n', true).swap16()],
  ];
  for (const [name, content] of table) {
    for (const size of [1, 7, 4096]) t.same(await rows(content, size), expected, `${name}, ${size} octets at a time`);
  }
  t.same(await rows(''), []);
  t.same(await rows('müller@bücher.example\n', 3), [[1, 'müller@bücher.example']], 'a character split between chunks');
});

t.test('A18: CSV keeps line numbers, quotes and delimiters', async t => {
  t.same(await rows('email;created\r\n"a@example.com";"x ""y"""\r\nb@example.org;\r\n'), [
    [1, 'email', 'created'],
    [2, 'a@example.com', 'x "y"'],
    [3, 'b@example.org', ''],
  ]);
  t.same(await rows('email,error\na@example.com,"550 no\nsuch user"\nb@example.org,x\n'), [
    [1, 'email', 'error'],
    [2, 'a@example.com', '550 no\nsuch user'],
    [4, 'b@example.org', 'x'],
  ]);
  t.same(await rows('"email"\n"a@example.com"\n'), [
    [1, 'email'],
    [2, 'a@example.com'],
  ]);
  t.same(await rows('"john doe"@example.com\n'), [[1, '"john doe"@example.com']], 'a quoted local part is no CSV');
});

t.test('a file without line ends is not read into memory', async t => {
  const result = await rows(Buffer.alloc(1_000_000, 'x'), 65_536);
  t.same(result, [[1, 'broken']]);
});

t.test("A18: platforms' headers are told", async t => {
  const table: [string, string[], string[], string, string][] = [
    [
      'Mailgun unsubscribes',
      ['address', 'tags', 'created_at'],
      ['a@example.com', '["*"]', 'Thu, 01 Feb 2024 10:00:00 UTC'],
      'opt-out',
      'import',
    ],
    ['Mailgun bounces', ['address', 'code', 'error', 'created_at'], ['a@example.com', '550', 'no', ''], 'bounce', 'import'],
    ['SES', ['Email address', 'Reason', 'Last update time'], ['a@example.com', 'COMPLAINT', '2024-02-01T10:00:00Z'], 'complaint', 'import'],
    ['SES bounce', ['EmailAddress', 'Reason', 'LastUpdateTime'], ['a@example.com', 'BOUNCE', ''], 'bounce', 'import'],
    ['SendGrid global', ['email', 'created'], ['a@example.com', '1706781600'], 'import', 'import'],
    [
      'SendGrid bounces',
      ['email', 'reason', 'status', 'created'],
      ['a@example.com', '550 5.1.1', '5.1.1', '1706781600'],
      'bounce',
      'import',
    ],
    ['SendGrid spam reports', ['email', 'ip', 'created'], ['a@example.com', '192.0.2.1', '1706781600'], 'complaint', 'import'],
    [
      'Postmark hard bounce',
      ['EmailAddress', 'SuppressionReason', 'Origin', 'CreatedAt'],
      ['a@example.com', 'HardBounce', 'Recipient', ''],
      'bounce',
      'import',
    ],
    [
      'Postmark unsubscribe',
      ['EmailAddress', 'SuppressionReason', 'Origin', 'CreatedAt'],
      ['a@example.com', 'ManualSuppression', 'Recipient', ''],
      'opt-out',
      'import',
    ],
    [
      'Postmark by customer',
      ['EmailAddress', 'SuppressionReason', 'Origin', 'CreatedAt'],
      ['a@example.com', 'ManualSuppression', 'Customer', ''],
      'manual',
      'import',
    ],
    [
      'own export',
      ['address', 'domain', 'reason', 'source', 'created_at'],
      ['a@example.com', '', 'objection', 'recipient', '2024-02-01T10:00:00.000Z'],
      'objection',
      'recipient',
    ],
    [
      'own export, a list',
      ['address', 'domain', 'reason', 'source', 'created_at'],
      ['', 'example.com', 'manual', 'operator', ''],
      'manual',
      'operator',
    ],
  ];
  for (const [name, header, row, reason, source] of table) {
    const columns = columnsOf(header);
    if (columns === undefined) {
      t.fail(name);
      continue;
    }
    const meaning = meaningOf(row, columns);
    t.match(meaning, { reason, source }, name);
  }
  t.equal(meaningOf(['a@example.com', '1706781600'], columnsOf(['email', 'created']) ?? never())?.at, 1_706_781_600_000);
  t.equal(columnsOf(['a@example.com']), undefined);
  t.equal(entryCell(['1.5', 'Jo', 'jo@example.com'], undefined), 2);
  t.equal(entryCell(['1', 'Jo', 'www.example.com'], undefined), 2);
  t.equal(entryCell(['x', 'd41d8cd98f00b204e9800998ecf8427e'], 'md5'), 1);
  t.equal(entryCell(['Name', 'Kontakt'], undefined), undefined);
  t.match(columnsWithoutHeader(['x', 'd41d8cd98f00b204e9800998ecf8427e'], 1, true), { hash: 1, address: undefined });
  t.match(meaningOf(['a@example.com', 'COMPLAINT'], columnsWithoutHeader(['a@example.com', 'BOUNCE'], 0, false)), { reason: 'complaint' });
});

function never(): never {
  throw new Error('no columns');
}
