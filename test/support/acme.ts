/** A site with client acme, whose robot sends from this machine without a password, in front of a sink. */
import { type House, openHouse } from '../../src/app.ts';
import type { Issued } from '../../src/clients/clients.ts';
import { type ClientId, clientId } from '../../src/ids.ts';
import { type Address, isAddress, parsePerson } from '../../src/mail/address.ts';
import { type Sink, type SinkOptions, startSink } from './sink.ts';
import { mustAnswer, newSite, type Site } from './site.ts';

export const ACME = clientId('acme') as ClientId;

export interface Acme {
  readonly site: Site;
  readonly sink: Sink;
  /** Of user `acme`, who authenticates. */
  readonly password: string;
  /** Works on the site as a command does, from another process than the gate's, without the second that a command takes to start. */
  house<T>(work: (house: House) => Promise<T>): Promise<T>;
  /** Runs a command that must succeed; its stdout. */
  run(...args: readonly string[]): Promise<string>;
}

/** Closed with the test. `settings` as newSite takes them. */
export async function acmeSite(
  t: { teardown(done: () => Promise<void>): unknown },
  settings: Readonly<Record<string, unknown>> = {},
  upstream: SinkOptions = {},
): Promise<Acme> {
  const sink = await startSink(upstream);
  const site = newSite({ upstream: { url: sink.url('?starttls=off') }, ...settings });
  t.teardown(async () => {
    await site.close();
    await sink.close();
  });
  const house: Acme['house'] = async work => {
    const opened = await openHouse({ file: site.configFile, create: true, env: {} });
    try {
      return await work(opened);
    } finally {
      await opened.close();
    }
  };
  const password = await house(async ({ clients }) => {
    const about = { name: 'Acme', privacyUrls: ['https://www.acme.example/privacy'], fromDomains: ['acme.example'] };
    await clients.add({ id: ACME, ...about });
    await clients.addCredential({ client: ACME, username: 'robot', ips: ['127.0.0.1/32'], password: false });
    return ((await clients.addCredential({ client: ACME, username: 'acme' })) as Issued).password ?? '';
  });
  return { site, sink, password, house, run: async (...args) => mustAnswer(await site.cli(...args)).stdout };
}

export function person(text: string): Address {
  const address = parsePerson(text);
  if (!isAddress(address)) throw new Error('not an address');
  return address;
}
