/** A18: list files of every kind go in as they come; bad rows are told by their line; an objection is never undone. */
import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { type CampaignId, campaignId } from '../../src/ids.ts';
import { HASH_ALGORITHMS } from '../../src/keys/digest.ts';
import { exportHeader, exportLines } from '../../src/lists/export.ts';
import { type ImportOptions, type ImportReport, importList } from '../../src/lists/import.ts';
import type { Scope } from '../../src/lists/standing.ts';
import { SAMPLES } from './exports.ts';
import { ACME, address, clockAt, type House, OTHER, openHouse } from './house.ts';

const NOW = Date.UTC(2026, 5, 1);
const SPRING = campaignId('spring') as CampaignId;
const acme: Scope = { owner: ACME };

async function house(t: Test): Promise<House> {
  const opened = await openHouse(t.testdir(), { clock: clockAt(NOW) });
  t.teardown(() => opened.close());
  return opened;
}

/** In pieces of a size that parts characters, rows and quotes. */
function take({ lists }: House, content: Buffer | string, options: ImportOptions = {}, scope = acme): Promise<ImportReport> {
  const octets = Buffer.from(content as string);
  async function* chunks() {
    for (let i = 0; i < octets.length; i += 1_021) yield octets.subarray(i, i + 1_021);
  }
  return importList(lists, scope, chunks(), options);
}

async function entries({ lists }: House, scope = acme): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { target, digest, acts } of lists.show(scope)) found[target ?? digest] = acts.map(({ reason }) => reason).join(' ');
  return found;
}

async function exported({ lists }: House, scope: Scope): Promise<string> {
  let text = exportHeader('exclusion', 'csv');
  for await (const entry of lists.read(scope, 'exclusion')) text += exportLines(entry, 'csv').join('');
  return text;
}

const counts = ({ read, added, existing, invalid }: ImportReport) => [read, added, existing, invalid];

t.test('A18: exports of the platforms, in every encoding', async t => {
  const encodings: Record<string, (text: string) => Buffer> = {
    'UTF-8': text => Buffer.from(text),
    'UTF-8 with BOM': text => Buffer.from(`\ufeff${text}`),
    'UTF-16LE': text => Buffer.from(`\ufeff${text}`, 'utf16le'),
    'UTF-16BE': text => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
    CRLF: text => Buffer.from(text.replace(/\r?\n/g, '\r\n')),
  };
  const opened = await house(t);
  for (const { name, text, expected } of SAMPLES) {
    for (const [encoding, encode] of Object.entries(encodings)) {
      const campaign = campaignId(
        `${SAMPLES.findIndex(one => one.name === name)}-${encoding.toLowerCase().replaceAll(' ', '-')}`,
      ) as CampaignId;
      const scope = { owner: ACME, campaign };
      const report = await take(opened, encode(text), {}, scope);
      const n = Object.keys(expected).length;
      t.match(report, { read: n, added: n, existing: 0, invalid: 0, errors: [] }, `${name}, ${encoding}`);
      t.same(await entries(opened, scope), expected, `${name}, ${encoding}`);
    }
  }
});

t.test('A18: each bad row by its line, and nothing of it repeated', async t => {
  const opened = await house(t);
  const text = [
    'email,reason',
    'jo@one.example,x',
    '',
    'not an address,x',
    'a@b@secret.example,x',
    'co.uk,x',
    ',x',
    '"sam@two.example","two',
    'lines"',
    'd41d8cd98f00b204e9800998ecf8427e,x',
    'com,x',
    'u%v@secret.example,x',
    'lee@three.example,x',
  ].join('\n');
  const report = await take(opened, text);
  t.same(counts(report), [10, 3, 0, 7]);
  t.same(
    report.errors.map(({ line }) => line),
    [4, 5, 6, 7, 10, 11, 12],
  );
  t.match(
    report.errors.map(({ error }) => error).join('\n'),
    /^neither[^\n]*\nnot an address[^\n]*\na public suffix[^\n]*\nno address[^\n]*\nlooks like a hash: name its algorithm/,
  );
  t.notMatch(JSON.stringify(report), /secret/);
});

t.test('an unknown header is one bad row, not a lost file', async t => {
  const opened = await house(t);
  const report = await take(opened, 'Kunde,Kontakt\nJo,jo@one.example\nSam,sam@two.example\n');
  t.same([counts(report), report.errors.map(({ line }) => line)], [[3, 2, 0, 1], [1]]);
  const titled = await take(opened, 'Suppressions of May,,\naddress,code,error\nlee@three.example,550,x\n');
  t.same(counts(titled), [2, 1, 0, 1]);
  t.match(await entries(opened), { 'lee@three.example': 'bounce' });
});

t.test('files with nothing in them', async t => {
  const opened = await house(t);
  for (const text of ['', '\n\r\n', '\ufeff', 'email\n', 'address,domain,reason,source,created_at', '# only a remark\n']) {
    t.same(counts(await take(opened, text)), [0, 0, 0, 0], JSON.stringify(text));
  }
});

t.test('A18: a dry run counts what the run then does, duplicates in the file included', async t => {
  const opened = await house(t);
  await opened.lists.add(acme, address('p7@x.example'), { reason: 'manual', source: 'operator' });
  const rows = Array.from({ length: 12_000 }, (_, i) => `p${(i * 7) % 5_000}@X.example`);
  rows.splice(3, 0, 'bad row', '"p1"@x.example', 'p1+tag@x.example', 'co.uk');
  const text = rows.join('\n');
  const dry = await take(opened, text, { dryRun: true });
  t.same(counts(dry), [12_004, 4_999, 7_003, 2]);
  t.same(await entries(opened), { 'p7@x.example': 'manual' }, 'nothing was written');
  t.same(await take(opened, text), dry);
  t.same(counts(await take(opened, text)), [12_004, 0, 12_002, 2]);
  t.equal((await entries(opened))['p7@x.example'], 'manual import');
});

t.test('strict: all or nothing', async t => {
  const opened = await house(t);
  t.same(counts(await take(opened, 'jo@one.example\nbad row\n', { strict: true })), [2, 0, 0, 1]);
  t.same(await entries(opened), {});
  t.same(counts(await take(opened, 'jo@one.example\nsam@two.example\n', { strict: true })), [2, 2, 0, 0]);
});

t.test('A23: hash lists, in every way they are written, bind the person', async t => {
  const opened = await house(t);
  const hash = (algorithm: string, name: string) => createHash(algorithm).update(name).digest();
  for (const algorithm of HASH_ALGORITHMS) {
    const [hex, upper, base64, again] = [1, 2, 3, 1].map(i => hash(algorithm, `${algorithm}${i}@one.example`));
    const rows = [
      hex?.toString('hex'),
      upper?.toString('hex').toUpperCase(),
      base64?.toString('base64'),
      again?.toString('hex'),
      'zz',
      'jo@one.example',
    ];
    const text = `${rows.join('\r\n')}\r\n`;
    const dry = await take(opened, text, { hash: algorithm, dryRun: true });
    t.same(counts(dry), [6, 3, 1, 2], algorithm);
    t.match(dry.errors, [{ line: 5, error: new RegExp(`not a digest by ${algorithm}`) }, { line: 6 }]);
    t.same(await take(opened, text, { hash: algorithm }), dry, `${algorithm}, in earnest`);
    for (const i of [1, 2, 3]) {
      const standing = await opened.lists.standing(address(`${algorithm}${i}@one.example`), ACME, []);
      t.match(standing, [{ list: 'suppression', match: 'hash', acts: [{ reason: 'import' }] }], `${algorithm} ${i}`);
    }
    t.same(await opened.lists.standing(address(`${algorithm}1@one.example`), OTHER, []), [], 'another client is not bound');
  }
  const column = `email,name,md5\n,Jo,${hash('md5', 'jo@two.example').toString('hex')}\n`;
  t.same(counts(await take(opened, column, { hash: 'md5', reason: 'opt-out' })), [1, 1, 0, 0]);
  t.match(await opened.lists.standing(address('JO@two.example'), ACME, []), [{ acts: [{ reason: 'opt-out' }] }]);
  t.match((await take(opened, column)).errors, [{ line: 2, error: /holds a hash: name its algorithm with --hash/ }]);
});

t.test('A23: what was objected stays, whatever is imported, and operators cannot remove it', async t => {
  const opened = await house(t);
  const { lists } = opened;
  await lists.suppress(acme, address('kim@one.example'), { reason: 'erasure', source: 'operator' });
  await lists.add(acme, address('jo@one.example'), { reason: 'objection', source: 'recipient' });
  const text = 'address,reason\nkim@one.example,manual\njo@one.example,manual\nsam@one.example,unsubscribe\nlee@one.example,\n';
  t.same(counts(await take(opened, text)), [4, 3, 1, 0]);
  t.same(counts(await take(opened, text)), [4, 0, 4, 0]);
  const standing = async (who: string) =>
    (await lists.standing(address(who), ACME, [])).map(({ list, acts }) => [list, ...acts.map(({ reason }) => reason)].join(' '));
  t.same(await standing('kim@one.example'), ['exclusion manual', 'suppression erasure']);
  t.same(await standing('jo@one.example'), ['exclusion objection manual']);
  t.same(await lists.remove(acme, address('jo@one.example')), { kept: ['objection'] });
  t.same(await lists.remove(acme, address('sam@one.example')), { kept: ['opt-out'] }, 'an imported opt-out is an objection');
  t.equal(await lists.remove(acme, address('lee@one.example')), 'removed');
  t.same(await lists.remove(acme, address('kim@one.example')), { kept: ['erasure'] });
  await lists.lift(acme, address('jo@one.example'), { by: 'Ann', why: 'asked' });
  t.same(await standing('jo@one.example'), []);
});

t.test('scopes: global binds all, a client its own, a campaign itself', async t => {
  const opened = await house(t);
  const { lists } = opened;
  await take(opened, 'all@one.example\n', {}, { owner: 'global' });
  await take(opened, 'acme@one.example\n');
  await take(opened, 'spring@one.example\n', {}, { owner: ACME, campaign: SPRING });
  const listed = async (who: string, client: typeof ACME, campaigns: CampaignId[]) =>
    (await lists.standing(address(`${who}@one.example`), client, campaigns)).length;
  t.same(await Promise.all([listed('all', ACME, []), listed('all', OTHER, [])]), [1, 1]);
  t.same(await Promise.all([listed('acme', ACME, []), listed('acme', OTHER, [])]), [1, 0]);
  t.same(await Promise.all([listed('spring', ACME, [SPRING]), listed('spring', ACME, [])]), [1, 0]);
});

t.test('the time and the reason of a row are kept; none lies in the future', async t => {
  const opened = await house(t);
  await take(opened, 'email,created\nold@one.example,1706781600\nnew@one.example,4102444800\nodd@one.example,soon\n', {
    reason: 'opt-out',
  });
  const at: Record<string, [string, number]> = {};
  for await (const { target, acts } of opened.lists.show(acme)) at[target ?? ''] = [acts[0]?.reason ?? '', acts[0]?.at ?? 0];
  t.same(at, {
    'old@one.example': ['opt-out', 1_706_781_600_000],
    'new@one.example': ['opt-out', NOW],
    'odd@one.example': ['opt-out', NOW],
  });
});

t.test('A18: our own export goes back in, octet by octet', async t => {
  const opened = await house(t);
  for (const { text } of SAMPLES) await take(opened, text);
  await take(opened, '"jo \\"x, y\\""@one.example\n"a b"@two.example\n#hash@two.example\n');
  await opened.lists.add(acme, address('jo@one.example'), { reason: 'objection', source: 'recipient', at: NOW - 5_000 });
  await opened.lists.add(acme, { domain: 'two.example' }, { reason: 'policy', source: 'operator', at: NOW - 9_000 });
  await opened.lists.suppress(acme, address('hidden@one.example'), { reason: 'erasure', source: 'operator' });
  const text = await exported(opened, acme);
  t.notMatch(text, 'hidden@');
  const scope = { owner: OTHER };
  const report = await take(opened, text, {}, scope);
  t.same([report.invalid, report.added], [0, Object.keys(await entries(opened, scope)).length], 'an entry with two reasons has two rows');
  t.equal(await exported(opened, scope), text);
  t.same(counts(await take(opened, text, {}, scope)), [report.read, 0, report.read, 0]);
});

t.test('a store that goes away ends the import with what it says', async t => {
  const opened = await openHouse(t.testdir(), { clock: clockAt(NOW) });
  await opened.close();
  await t.rejects(take(opened, 'jo@one.example\n'), { name: 'StoreUnavailable' });
});
