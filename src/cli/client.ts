/** `postern client add|update|list|show|remove`: the companies on whose behalf mail is sent. */
import { type Command, Option } from 'commander';
import type { ClientInput } from '../clients/clients.ts';
import type { Profile } from '../clients/profile.ts';
import { describe, parseUpstreamUrl } from '../relay/url.ts';
import {
  type Common,
  command,
  looksLikeAddress,
  looksLikeHost,
  looksLikeUrl,
  type OnRecord,
  onRecord,
  Repeatable,
  whole,
  whoOf,
  withHouse,
} from './command.ts';
import { isoTime, printJson, printLine, printTable } from './output.ts';
import { knownClient, settled } from './settled.ts';

interface ClientOptions extends OnRecord {
  readonly name?: string;
  readonly privacyUrl?: string[];
  readonly fromDomain?: string[];
  readonly returnPathDomain?: string[];
  readonly trackingHost?: string[];
  readonly policy?: string;
  readonly upstream?: string;
  readonly maxRate?: number;
  readonly maxSessions?: number;
  readonly replyAddress?: string[] | false;
  readonly returnPath?: string | false;
  readonly tagReplyTo?: boolean;
  readonly forwardTo?: string | false;
}

export function addClientCommands(program: Command): void {
  const group = program.command('client').description('clients: the companies on whose behalf mail is sent');
  withSettings(command(group, 'add <id>', 'register a client; makes a new store and its key where there is none'), true).action(add);
  withSettings(command(group, 'update <id>', 'change what is named; the rest stays'), false).action(update);
  command(group, 'list', 'all clients, removed ones too').action(list);
  command(group, 'show <id>', 'one client').action(show);
  onRecord(command(group, 'remove <id>', 'disable a client and its credentials; its suppressions stay and bind a re-added id')).action(
    remove,
  );
}

function withSettings(target: Command, required: boolean): Command {
  const settings = [
    new Option('--name <name>', 'the company'),
    new Repeatable('--privacy-url <url>', "the client's own https privacy policy", looksLikeUrl),
    new Repeatable('--from-domain <domain>', 'a domain its From headers may have, subdomains included', looksLikeHost),
  ];
  for (const setting of settings) target.addOption(setting.makeOptionMandatory(required));
  const returnPath = 'a domain its reverse-paths may have besides (platforms bounce to their own)';
  return onRecord(target)
    .addOption(new Repeatable('--return-path-domain <domain>', returnPath, looksLikeHost))
    .addOption(new Repeatable('--tracking-host <host>', "host or host:port of the platform's click-tracking links", looksLikeHost))
    .option('--policy <name>', 'basic (default), b2b-prospecting, or one of the configuration')
    .option('--upstream <url>', 'relay through this smarthost instead of upstream.url')
    .option('--max-rate <number>', 'transactions a minute, 0 for no limit', whole)
    .option('--max-sessions <number>', 'sessions at once, 0 for no limit', whole)
    .addOption(new Repeatable('--reply-address <address>', 'where its replies arrive, with or without a +tag', looksLikeAddress))
    .option('--no-reply-address', 'it has none')
    .option('--return-path <domain>', 'relay its mail with bounce+TOKEN@ this domain as the reverse-path, so that bounces come back here')
    .option('--no-return-path', "leave the platform's reverse-path as it is")
    .option('--tag-reply-to', 'add a Reply-To with a token of the first reply address where the message has none')
    .option('--no-tag-reply-to', 'add none')
    .option('--forward-to <address>', 'send a copy of what came back here, once it is applied')
    .option('--no-forward-to', 'send no copies');
}

const CLEARED = Symbol('set to nothing');

/** Only what was given: an update leaves the rest as it is. */
function inputOf(options: ClientOptions): Partial<Omit<ClientInput, 'id'>> {
  const { name, privacyUrl, fromDomain, returnPathDomain, trackingHost, policy, upstream, maxRate, maxSessions } = options;
  const { replyAddress, returnPath, tagReplyTo, forwardTo } = options;
  const given = {
    name,
    privacyUrls: privacyUrl,
    fromDomains: fromDomain,
    returnPathDomains: returnPathDomain,
    trackingHosts: trackingHost,
    policy,
    upstream,
    maxRate,
    maxSessions,
    replyAddresses: replyAddress === false ? [] : replyAddress,
    returnPath: returnPath === false ? CLEARED : returnPath,
    tagReplyTo,
    forwardTo: forwardTo === false ? CLEARED : forwardTo,
  };
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(named.map(([field, value]) => [field, value === CLEARED ? undefined : value]));
}

async function add(id: string, options: ClientOptions): Promise<void> {
  const input = { name: '', privacyUrls: [], fromDomains: [], ...inputOf(options), id };
  await withHouse(options, async house => print(settled(await house.clients.add(input, whoOf(options))), options, 'added'), true);
}

async function update(id: string, options: ClientOptions): Promise<void> {
  await withHouse(options, async house =>
    print(settled(await house.clients.update(id, inputOf(options), whoOf(options))), options, 'changed'),
  );
}

async function list(options: Common): Promise<void> {
  await withHouse(options, async house => {
    const clients = await house.clients.list();
    if (options.json === true) return printJson(clients.map(shown));
    const rows = clients.map(({ id, name, policy, fromDomains, disabled }) => [
      id,
      name,
      policy,
      fromDomains.join(' '),
      disabled ? 'removed' : '',
    ]);
    printTable(['client', 'name', 'policy', 'from domains', ''], rows);
  });
}

async function show(id: string, options: Common): Promise<void> {
  await withHouse(options, async house => {
    const profile = shown(await knownClient(house, id));
    if (options.json === true) return printJson(profile);
    for (const [name, value] of Object.entries(profile)) {
      const text = Array.isArray(value) ? value.map(one => (typeof one === 'object' ? one.id : one)).join(' ') : value;
      if (text !== undefined && text !== '') printLine(`${name.padEnd(18)} ${text}`);
    }
  });
}

async function remove(id: string, options: OnRecord): Promise<void> {
  await withHouse(options, async house =>
    print(settled(await house.clients.remove(id, whoOf(options))), options, 'removed; its suppressions stay'),
  );
}

function print(profile: Profile, options: Common, done: string): void {
  if (options.json === true) printJson(shown(profile));
  else printLine(`client ${profile.id} ${done}`);
}

/** A client as it may be shown: its upstream without the password. */
function shown({ campaigns, createdAt, upstream, version: _, globalVersion: __, ...profile }: Profile) {
  const target = upstream === undefined ? undefined : parseUpstreamUrl(upstream);
  return {
    ...profile,
    ...(target === undefined ? {} : { upstream: 'problem' in target ? 'unreadable' : describe(target) }),
    campaigns: [...campaigns.values()],
    createdAt: isoTime(createdAt),
  };
}
