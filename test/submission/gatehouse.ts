/** A whole gate within the test: real store, lists, clients, listener and upstream sockets; the same composition as `postern serve`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type House, openHouse, type RunningGate, startGate } from '../../src/app.ts';
import { isRefusal, type Refusal } from '../../src/clients/clients.ts';
import { type ClientId, clientId } from '../../src/ids.ts';
import type { Decision } from '../../src/journal/decision.ts';
import { parseDecisionId } from '../../src/journal/ref.ts';
import { type CountRow, readStats, USUAL_GROUPS } from '../../src/journal/stats.ts';
import type { NewAct } from '../../src/lists/lists.ts';
import { parseScope } from '../../src/lists/scope.ts';
import { type Address, isAddress, parseAddress } from '../../src/mail/address.ts';
import { type Sink, type SinkOptions, startSink } from '../support/sink.ts';
import { dial, type SmtpClient } from '../support/smtp-client.ts';

export const ACME = clientId('acme') as ClientId;
export const OTHER = clientId('other') as ClientId;
/** The policy named in the texts below. */
const PRIVACY = 'https://www.acme.example/privacy';

export interface Gatehouse {
  readonly dir: string;
  readonly configFile: string;
  readonly sink: Sink;
  readonly house: House;
  readonly gate: RunningGate;
  readonly port: number;
  /** Moves the gate's clock on. */
  later(minutes: number): void;
  /** Another process's view: a second house on the same store, as the command line opens it. */
  second(): Promise<House>;
  /** `outcome check token` → recipients, once everything is written; `campaign` in front where there is one. */
  counts(client?: ClientId): Promise<Record<string, number>>;
  /** The decision that a reply's ref= names. */
  decision(reply: string): Promise<Decision | undefined>;
  /** Connected, greeted and introduced. */
  hello(): Promise<SmtpClient>;
}

export interface GatehouseOptions {
  readonly sink?: SinkOptions;
  /** Laid over the configuration. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly submission?: Readonly<Record<string, unknown>>;
}

interface Test {
  teardown(done: () => Promise<void>): unknown;
}

/**
 * Client `acme` (from acme.example, campaign `spring`) sends from 127.0.0.1
 * without a password; client `other` is there too.
 */
export async function newGatehouse(t: Test, options: GatehouseOptions = {}): Promise<Gatehouse> {
  const dir = mkdtempSync(join(tmpdir(), 'postern-gate-'));
  const sink = await startSink(options.sink);
  const configFile = join(dir, 'postern.yaml');
  const config = {
    upstream: { url: sink.url('?starttls=off') },
    log: { level: 'silent' },
    inbound: { listen: 'off' },
    admin: { listen: 'off' },
    submission: { listen: '127.0.0.1:0', hostname: 'gate.example', stopSeconds: 5, ...options.submission },
    ...options.settings,
  };
  writeFileSync(configFile, stringify(config));
  let offset = 0;
  const clock = { now: () => Date.now() + offset };
  const house = await openHouse({ file: configFile, create: true, patient: true, env: {}, clock });
  for (const id of ['acme', 'other']) {
    good(await house.clients.add({ id, name: id, privacyUrls: [PRIVACY.replace('acme', id)], fromDomains: [`${id}.example`] }));
  }
  good(await house.clients.addCampaign('acme', 'spring', []));
  good(await house.clients.addCredential({ client: 'acme', username: 'robot', ips: ['127.0.0.1/32'], password: false }));
  const gate = await startGate(house);
  const others: House[] = [];
  t.teardown(async () => {
    await gate.stop();
    for (const one of [...others, house]) await one.close();
    await sink.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const port = gate.addresses[0]?.port ?? 0;
  return {
    dir,
    configFile,
    sink,
    house,
    gate,
    port,
    later: minutes => {
      offset += minutes * 60_000;
    },
    async second() {
      const one = await openHouse({ file: configFile, env: {}, clock });
      others.push(one);
      return one;
    },
    async counts(client = ACME) {
      await gate.journal.flush();
      const counts: Record<string, number> = {};
      const { rows } = await readStats(house.store, { owners: [client], groupBy: USUAL_GROUPS });
      for (const { campaign, outcome, check, token, count } of rows as readonly CountRow[]) {
        const label = [...(campaign === undefined ? [] : [campaign]), outcome, check, token].filter(word => word !== '').join(' ');
        counts[label] = count;
      }
      return counts;
    },
    async decision(reply) {
      await gate.journal.flush();
      const id = parseDecisionId(/ ref=(\S{16})$/.exec(reply)?.[1] ?? '');
      return id === undefined ? undefined : house.decisions.show(id, [ACME, OTHER]);
    },
    async hello() {
      const client = await dial(port);
      await client.reply();
      await client.ask('EHLO platform.example');
      return client;
    },
  };
}

/** What was asked for; a refusal fails the test. */
export function good<T extends object>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new Error(answer.texts.join('; '));
  return answer;
}

export function address(text: string): Address {
  const parsed = parseAddress(text, { utf8: true });
  if (!isAddress(parsed)) throw new Error(`${text} does not parse`);
  return parsed;
}

const OPERATOR: NewAct = { reason: 'manual', source: 'operator' };

/** Excludes an address or a domain in `scope` (`global`, `acme`, `acme/spring`), as the command line does. */
export async function exclude(house: House, scope: string, target: string, act: NewAct = OPERATOR): Promise<void> {
  const where = parseScope(scope);
  if (where === undefined) throw new Error(`${scope} is no scope`);
  const result = await house.lists.add(where, target.includes('@') ? address(target) : { domain: target }, act);
  if (typeof result === 'object') throw new Error(result.problem);
}

export async function suppress(house: House, scope: string, person: string, act: NewAct): Promise<void> {
  const where = parseScope(scope);
  if (where === undefined) throw new Error(`${scope} is no scope`);
  await house.lists.suppress(where, address(person), act);
}

/** A campaign mail of acme's that passes every check. Header lines may be added, or replace those of the same name. */
export function letter(...extra: readonly string[]): string {
  const given = new Set(extra.map(line => line.split(':', 1)[0]?.toLowerCase()));
  const usual = [
    'From: Acme <news@acme.example>',
    'To: you@example.net',
    'Subject: Spring',
    'Date: Sat, 21 Nov 2026 10:00:00 +0000',
    'Message-ID: <spring-1@acme.example>',
    'List-Unsubscribe: <https://www.acme.example/out?u=1>',
  ].filter(line => !given.has(line.split(':', 1)[0]?.toLowerCase()));
  const body = ['Good morning,', '', `how we use your data: ${PRIVACY}`, 'Unsubscribe: https://www.acme.example/out?u=1'];
  return [...usual, ...extra.filter(line => !line.endsWith(':-')), '', ...body, ''].join('\r\n');
}

/** MAIL, RCPTs, DATA and the message; the replies to RCPT, and to the last command given. */
export async function send(
  client: SmtpClient,
  to: readonly string[],
  options: { readonly from?: string; readonly message?: string; readonly beforeDot?: () => Promise<void> } = {},
): Promise<{ readonly rcpts: readonly string[]; readonly last: string }> {
  const mail = await client.ask(`MAIL FROM:<${options.from ?? 'bounce@acme.example'}>`);
  if (!mail.startsWith('250')) return { rcpts: [], last: mail };
  const rcpts: string[] = [];
  for (const one of to) rcpts.push(await client.ask(`RCPT TO:<${one}>`));
  const data = await client.ask('DATA');
  if (!data.startsWith('354')) {
    await client.ask('RSET');
    return { rcpts, last: data };
  }
  await options.beforeDot?.();
  client.write(`${(options.message ?? letter()).replace(/\r\n\./g, '\r\n..')}.\r\n`);
  return { rcpts, last: (await client.reply()).text };
}
