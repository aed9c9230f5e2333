/** `postern credential add|list|update|disable|rotate`: what a platform logs in with. */
import type { Command } from 'commander';
import type { House } from '../app.ts';
import type { Issued } from '../clients/clients.ts';
import type { Credential } from '../clients/profile.ts';
import { type Common, command, looksLikeBlock, type OnRecord, onRecord, Repeatable, whoOf, withHouse } from './command.ts';
import { CommandFailure, usage } from './exit.ts';
import { isoTime, printJson, printLine, printTable } from './output.ts';
import { settled } from './settled.ts';

interface AddOptions extends OnRecord {
  readonly campaign?: string;
  readonly policy?: string;
  readonly ip?: string[];
  readonly password: boolean;
}

interface UpdateOptions extends OnRecord {
  readonly campaign?: string | false;
  readonly policy?: string | false;
  readonly ip?: string[] | false;
}

export function addCredentialCommands(program: Command): void {
  const group = program.command('credential').description('credentials: what a platform logs in with');
  onRecord(command(group, 'add <client> <username>', 'make a credential; prints its password, this once'))
    .option('--campaign <id>', 'all its mail is of this campaign')
    .option(
      '--policy <name>',
      "instead of the client's; transactional for receipts and password resets, conversation for answers to replies (on record)",
    )
    .addOption(new Repeatable('--ip <cidr>', 'only from this address or block', looksLikeBlock))
    .option('--no-password', 'the IP address alone is the credential')
    .action(add);
  command(group, 'list [client]', 'credentials of a client, or of all').action(list);
  onRecord(command(group, 'update <client> [username]', 'change what is named, from the next MAIL on; the password stays'))
    .option('--campaign <id>', 'all its mail is of this campaign')
    .option('--no-campaign', 'its mail says for itself of which campaign it is')
    .option('--policy <name>', "instead of the client's")
    .option('--no-policy', "the client's")
    .addOption(new Repeatable('--ip <cidr>', 'only from these addresses or blocks, and no longer from others', looksLikeBlock))
    .option('--no-ip', 'from anywhere')
    .action(update);
  onRecord(
    command(group, 'disable <client> [username]', 'refuse it from now on (the client may be left out: usernames are unique)'),
  ).action(disable);
  onRecord(command(group, 'rotate <client> [username]', 'give it a new password, printed this once; the old one is dead at once')).action(
    rotate,
  );
}

async function add(client: string, username: string, options: AddOptions): Promise<void> {
  await withHouse(options, async house => {
    const { campaign, policy, ip = [], password } = options;
    const input = { client, username, campaign, policy, ips: ip, password };
    printIssued(settled(await house.clients.addCredential(input, whoOf(options))), options);
  });
}

async function list(client: string | undefined, options: Common): Promise<void> {
  await withHouse(options, async house => {
    const clients = client === undefined ? (await house.clients.list()).map(({ id }) => id as string) : [client];
    const lists = await Promise.all(clients.map(async id => settled(await house.clients.credentials(id))));
    const credentials = lists.flat();
    if (options.json === true) return printJson(credentials.map(shown));
    const rows = credentials.map(one => [
      one.client,
      one.id,
      one.campaign ?? '',
      one.policy ?? '',
      one.ips.join(' ') || 'any',
      one.password ? 'yes' : 'no',
      one.disabled ? 'disabled' : '',
    ]);
    printTable(['client', 'username', 'campaign', 'policy', 'addresses', 'password', ''], rows);
  });
}

async function update(first: string, second: string | undefined, options: UpdateOptions): Promise<void> {
  const { campaign, policy, ip } = options;
  const given = { campaign: campaign === false ? null : campaign, policy: policy === false ? null : policy, ips: ip === false ? null : ip };
  if (Object.values(given).every(value => value === undefined)) throw usage('name what is to change: --campaign, --policy or --ip');
  await withHouse(options, async house => {
    const credential = settled(await house.clients.updateCredential(await named(house, first, second), given, whoOf(options)));
    if (options.json === true) printJson(shown(credential));
    else printLine(`credential ${credential.id} changed`);
  });
}

async function disable(first: string, second: string | undefined, options: OnRecord): Promise<void> {
  await withHouse(options, async house => {
    const username = await named(house, first, second);
    const credential = settled(await house.clients.disableCredential(username, whoOf(options)));
    if (options.json === true) printJson(shown(credential));
    else printLine(`credential ${username} disabled`);
  });
}

async function rotate(first: string, second: string | undefined, options: OnRecord): Promise<void> {
  await withHouse(options, async house => {
    printIssued(settled(await house.clients.rotateCredential(await named(house, first, second), whoOf(options))), options);
  });
}

/** `<client> <username>`, or the username alone. Where a client is named, a slip of the pen must not reach another's credential. */
async function named(house: House, first: string, second: string | undefined): Promise<string> {
  if (second === undefined) return first;
  const credentials = settled(await house.clients.credentials(first));
  if (!credentials.some(({ id }) => id === second)) throw new CommandFailure(`client ${first} has no credential '${second}'`);
  return second;
}

function printIssued({ credential, password }: Issued, options: Common): void {
  if (options.json === true) printJson({ username: credential.id, ...(password === undefined ? {} : { password }) });
  else if (password === undefined) printLine(`credential ${credential.id} added; no password: its IP addresses are the credential`);
  else printLine(`username ${credential.id}\npassword ${password}\nShown this once: it cannot be read again, only rotated.`);
}

function shown({ createdAt, ...credential }: Credential) {
  return { ...credential, createdAt: isoTime(createdAt) };
}
