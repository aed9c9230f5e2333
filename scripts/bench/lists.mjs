/**
 * `node --import tsx scripts/bench/lists.mjs`: a client with a million excluded addresses, and a tenth of that many entries on each of its other
 * lists, its campaign's and everybody's, on LMDB and on Redis; then pages, searches, checks, changes and exports, asked over HTTP while
 * mail looks recipients up. Nothing is cached between two requests. Options: --entries N, --stores lmdb,redis (a redis-server of its own is
 * started).
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { importList } from '../../src/lists/import.ts';
import { parseAddress } from '../../src/mail/address.ts';
import { onEachStore, option, startAsker } from './asking.mjs';

const total = Number(option('entries', 1_000_000));
const CLIENT = 'acme';
const CAMPAIGN = 'spring';
const RARE = 7;
const MiB = 1_048_576;
/** Three times a hundred thousand names of one domain each, so that a search finds none, few or many. */
const personOf = n => (n % 200_000 === RARE ? `needle${n}@example${n % 5_000}.com` : `person.number${n}@example${n % 5_000}.com`);

await onEachStore(option('stores', 'lmdb,redis'), async (name, { house, ...office }) => {
  const began = performance.now();
  const others = Math.ceil(total / 10);
  await imported(house, { owner: CLIENT }, 'addresses', total);
  await imported(house, { owner: CLIENT }, 'hashes', others);
  for (const scope of [{ owner: CLIENT, campaign: CAMPAIGN }, { owner: 'global' }]) {
    for (const what of ['addresses', 'hashes']) await imported(house, scope, what, others);
  }
  const seconds = (performance.now() - began) / 1_000;
  console.log(`\n${name}: ${total} exclusions of a client, ${others} on each of five other lists, imported in ${seconds.toFixed(0)} s`);
  const asker = await startAsker(office, () => house.lists.standing(parseAddress(personOf(1)), CLIENT, [CAMPAIGN]));
  const own = `/v1/clients/${CLIENT}`;
  const rows = ({ text }) => {
    const { items, next } = JSON.parse(text);
    return `${items.length} rows${next === null ? '' : ', more'}`;
  };
  const page = (what, path, times) => asker.line(what, { path, ...(times === undefined ? {} : { times }) }, rows);
  const lists = [
    ['exclusions', `${own}/exclusions?`],
    ['suppressions', `${own}/suppressions?`],
    ['exclusions of the campaign', `${own}/exclusions?campaign=${CAMPAIGN}&`],
    ['suppressions of the campaign', `${own}/suppressions?campaign=${CAMPAIGN}&`],
    ['exclusions of all clients', '/v1/global/exclusions?'],
    ['suppressions of all clients', '/v1/global/suppressions?'],
  ];
  for (const [what, path] of lists) {
    await page(`${what}: first 100`, path);
    await page(`${what}: 100 from the middle`, `${path}cursor=${'8'.padEnd(32, '0')}`);
  }
  const [[, exclusions]] = lists;
  await page('exclusions: first 1,000', `${exclusions}limit=1000`);
  await page('exclusions: last', `${exclusions}cursor=${'fff'.padEnd(32, 'f').slice(0, 29)}000`);
  const search = async (what, part) => {
    await page(`search ${what}: first page`, `${exclusions}contains=${part}`, 5);
    const paths = [];
    const found = [];
    const before = performance.now();
    for (let cursor = ''; cursor !== null; ) {
      const path = `${exclusions}contains=${part}${cursor}`;
      const { items, next } = JSON.parse((await asker.ask({ path, times: 1 })).text);
      paths.push(path);
      found.push(...items);
      cursor = next === null || paths.length === 200 ? null : `&cursor=${next}`;
    }
    const all = `${found.length} found on ${paths.length} pages`;
    console.log(`  ${`search ${what}: pages to the end`.padEnd(58)} ${((performance.now() - before) / 1_000).toFixed(1)} s, ${all}`);
  };
  await search('that finds nothing', 'nobody-has-this');
  await search('that finds few', 'needle');
  await page('search that finds many: first page', `${exclusions}contains=number1`);
  await page('one by its address', `${exclusions}address=${encodeURIComponent(personOf(total >> 1))}`);
  const check = (what, address) =>
    asker.line(`check of ${what}`, `${own}/suppressions/check?address=${address}`, ({ text }) => `listed: ${JSON.parse(text).listed}`);
  await check('somebody listed', personOf(1));
  await check('somebody not listed', 'nobody@nowhere.example');
  const gone = Array.from({ length: 20 }, (_, n) => `${exclusions}address=${encodeURIComponent(personOf(1_000 + n))}`);
  await asker.line('taking one back', { method: 'DELETE', paths: gone, status: 204 });
  const entries = Array.from({ length: 9_000 }, (_, n) => `added${n}@example.net`);
  const batch = { method: 'POST', times: 1, body: JSON.stringify({ entries }) };
  const outcome = ({ text }) => `${JSON.parse(text).added} added`;
  await asker.line('a batch of 9,000 exclusions', { ...batch, path: `${own}/exclusions/batch` }, outcome);
  await asker.line('a batch of 9,000 suppressions', { ...batch, path: `${own}/suppressions/batch` }, outcome);
  for (const format of ['csv', 'ndjson']) {
    let most = process.memoryUsage().rss;
    const first = most;
    const watching = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 50);
    const path = `${own}/exclusions/export?format=${format}`;
    await asker.line(`export of all exclusions, ${format}`, { path, times: 1 }, ({ lines, octets }) => {
      return `${lines} lines, ${Math.round(octets / MiB)} MiB, ${Math.round((most - first) / MiB)} MiB more memory`;
    });
    clearInterval(watching);
  }
  asker.stop();
});

async function imported(house, scope, what, n) {
  const text = at => (what === 'hashes' ? createHash('sha256').update(personOf(at)).digest('hex') : personOf(at));
  const pieces = function* () {
    for (let at = 0; at < n; at += 1_000) {
      yield Buffer.from(`${Array.from({ length: Math.min(1_000, n - at) }, (_, i) => text(at + i)).join('\n')}\n`);
    }
  };
  const options = { reason: 'import', ...(what === 'hashes' ? { hash: 'sha256' } : {}) };
  for (;;) {
    try {
      const { added, existing } = await importList(house.lists, scope, Readable.from(pieces(), { objectMode: false }), options);
      if (added + existing !== n) throw new Error(`${added + existing} of ${n} were imported`);
      return;
    } catch (error) {
      // A store that is slow for a moment is asked again, as by whoever imports.
      if (error.name !== 'StoreUnavailable') throw error;
    }
  }
}
