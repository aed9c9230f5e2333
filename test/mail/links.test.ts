/** Where links lead: the same page in other spellings, look-alikes, and what tracking links wrap. */
import t from 'tap';
import { httpsUrl, isOnHost, isPage, parsePages, wrappedUrls } from '../../src/mail/links.ts';

const PAGES = parsePages([
  'https://client.example/privacy',
  'https://bücher.example/daten schutz/',
  'https://shop.example/index.php?page=privacy',
  'https://root.example',
]);

function leads(href: string): boolean {
  const url = httpsUrl(href);
  return url !== undefined && PAGES.some(page => isPage(url, page));
}

t.test('A13: the same page, however it is spelled', async t => {
  // biome-ignore format: a list
  const same = [
    'https://client.example/privacy', 'https://client.example/privacy/', 'https://client.example/privacy?utm_source=mail&x=%2F', 'https://client.example/privacy#rights',
    'HTTPS://CLIENT.EXAMPLE/privacy', 'https://client.example:443/privacy', ' https://client.example/privacy ', 'https://client.exa\n\tmple/priv\r\nacy',
    'https://client.example/%70rivac%79', 'https://client.example/./privacy', 'https://client.example/x/../privacy', 'https://client.example/x/%2e%2e/privacy',
    'https://xn--bcher-kva.example/daten%20schutz', 'https://BÜCHER.example/daten%20schutz/', 'https://bücher.example/daten schutz',
    'https://shop.example/index.php?utm=1&page=privacy', 'https://root.example/', 'https://root.example/?a', 'https://root.example',
  ];
  for (const href of same) t.ok(leads(href), JSON.stringify(href));
});

t.test('A13: another page', async t => {
  // biome-ignore format: a list
  const other = [
    'http://client.example/privacy', 'client.example/privacy', '//client.example/privacy', '/privacy', 'https:client.example/privacy', 'https:/client.example/privacy',
    'https:///client.example/privacy', 'https:\\\\client.example\\privacy', 'https://client.example\\@evil.example/privacy', 'https://client.example@evil.example/privacy',
    'https://evil.example@client.example/privacy', 'https://u:p@client.example/privacy', 'https://@client.example/privacy', 'https://client.example:8443/privacy',
    'https://client.example./privacy', 'https://www.client.example/privacy', 'https://client.example.evil.example/privacy', 'https://notclient.example/privacy',
    'https://client-example.example/privacy', 'https://clіent.example/privacy', 'https://evil.example/client.example/privacy', 'https://evil.example/?u=https://client.example/privacy',
    'https://client.example/', 'https://client.example/privacy2', 'https://client.example/privacy/old', 'https://client.example/Privacy', 'https://client.example//privacy',
    'https://client.example/privacy%2F', 'https://client.example/privacy;x', 'https://client.example/?privacy', 'https://client.example/#/privacy',
    'https://shop.example/index.php', 'https://shop.example/index.php?page=offers', 'javascript:https://client.example/privacy', 'mailto:privacy@client.example',
    'https://', 'https://client.example:99999/privacy', '', 'https://[::1/privacy', 'data:text/html,https://client.example/privacy', 'https://root.example/x',
  ];
  for (const href of other) t.notOk(leads(href), JSON.stringify(href));
});

t.test('what a tracking link wraps can be read', async t => {
  const page = 'https://client.example/privacy';
  const base64 = (text: string): string => Buffer.from(text).toString('base64url');
  const table: readonly (readonly [string, readonly string[]])[] = [
    [`https://t.example/c?url=${encodeURIComponent(page)}`, [page]],
    [`https://t.example/c?id=7&u=${page}`, [page]],
    [`https://t.example/c?u=${encodeURIComponent(encodeURIComponent(page))}`, [page]],
    [`https://t.example/L0/${encodeURIComponent(page)}/1/0100-abc/sig=12`, [page]],
    [`https://t.example/3s/client.example%2Fprivacy/AbCd/xyz`, [page]],
    [`https://t.example/click/12/${page}`, [page]],
    [`https://t.example/click/12/https:/client.example/privacy?x=1`, [`${page}?x=1`]],
    [`https://t.example/r/${base64(page)}`, [page]],
    [`https://t.example/r?d=${Buffer.from(page).toString('base64')}`, [page]],
    [`https://t.example/r?p=${base64(JSON.stringify({ s: 'sig', p: JSON.stringify({ u: 30, url: page }) }))}`, [page]],
    [`https://t.example/e/c/${base64(JSON.stringify({ href: page, id: 'x' }))}/0`, [page]],
    ['https://t.example/ls/click?upn=u001.Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4', []],
    ['https://t.example/f/a/Zm9v~~/AAQRxQA~/Rgabc', []],
    ['https://t.example/c?x=%E0%A4%A', []],
  ];
  for (const [wrapped, expected] of table) t.same(wrappedUrls(new URL(wrapped)), expected, wrapped);
  t.same(
    [...wrappedUrls(new URL(`https://t.example/c?a=${page}&b=https://evil.example/`))].sort(),
    [page, 'https://evil.example/'],
    'two are told as two',
  );
  const deep = `https://t.example/c?u=${'%25'.repeat(2000)}`;
  t.same(wrappedUrls(new URL(deep)), [], 'encoding without end is given up');
});

t.test('a tracking host is meant with its port', async t => {
  t.ok(isOnHost(new URL('https://T.example/x'), ['other.example', 't.example']));
  t.ok(isOnHost(new URL('https://t.example:443/x'), ['t.example:443']));
  t.ok(isOnHost(new URL('https://t.example:8443/x'), ['t.example:8443']));
  t.notOk(isOnHost(new URL('https://t.example:8443/x'), ['t.example']));
  t.notOk(isOnHost(new URL('https://sub.t.example/x'), ['t.example']));
});
