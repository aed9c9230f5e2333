/** Exports to readers who take nothing: cut off, on record, and so many at once. */
import t from 'tap';
import type { AuditLine } from '../../src/audit/act.ts';
import type { ClientId } from '../../src/ids.ts';
import { isAddress, parsePerson } from '../../src/mail/address.ts';
import { until } from '../support/until.ts';
import { dialRaw } from './raw.ts';
import { newOffice, type Office } from './support.ts';

const EXPORT = '/v1/clients/acme/exclusions/export';
/** Long names: more than the system takes for a reader who does not read. */
const DOMAIN = `${['a', 'b', 'c'].map(letter => letter.repeat(60)).join('.')}.example`;

async function list({ house }: Office, count: number): Promise<void> {
  const act = { reason: 'manual', source: 'operator' } as const;
  for (let at = 0; at < count; at += 5_000) {
    const targets = Array.from({ length: 5_000 }, (_, i) => {
      const target = parsePerson(`person${at + i}@${DOMAIN}`);
      if (!isAddress(target)) throw new Error('not an address');
      return { target, act };
    });
    await house.lists.addMany({ owner: 'acme' as ClientId }, targets);
  }
}

t.test('a reader who takes nothing is cut off, and one account has so many exports at once', async t => {
  const office = await newOffice(t, { admin: { patienceSeconds: 3 } });
  const { token } = await office.token('client');
  await list(office, 40_000);
  const begin = async () => {
    const reader = await dialRaw(office.url);
    reader.socket.write(`GET ${EXPORT} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    await reader.until(/200 OK/);
    reader.socket.pause();
    return reader;
  };
  const readers = [await begin(), await begin()];
  const more = await office.withToken(token)('GET', EXPORT);
  t.match([more.status, more.headers.get('retry-after')], [429, /^\d+$/]);
  const ended = await until('the ends of both on record', async () => {
    const lines: AuditLine[] = [];
    for await (const line of office.house.audit.list('acme', { limit: 4 })) if (line.what === 'export.end') lines.push(line);
    return lines.length === 2 && lines;
  });
  for (const { about } of ended) t.match(about, { complete: false });
  for (const { socket } of readers) socket.destroy();
});
