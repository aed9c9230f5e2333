/** `postern account add|list|show|update|disable|enable|password`: logins of people, one each (A30, A31). */
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { type Account, ROLES } from '../accounts/account.ts';
import type { IssuedAccount } from '../accounts/directory.ts';
import { type Common, command, looksLikeBlock, type OnRecord, onRecord, Repeatable, whoOf, withHouse } from './command.ts';
import { CommandFailure, usage } from './exit.ts';
import { askNewPassword } from './hidden-input.ts';
import { isoTime, printJson, printLine, printTable, writeError } from './output.ts';
import { settled } from './settled.ts';

interface AddOptions extends Common {
  readonly role: string;
  readonly client?: string;
  readonly ip?: string[];
  readonly passwordStdin?: boolean;
}

interface UpdateOptions extends OnRecord {
  readonly role?: string;
  readonly client?: string;
  readonly ip?: string[];
  readonly anyIp?: boolean;
}

interface PasswordOptions extends Common {
  readonly passwordStdin?: boolean;
  readonly withoutTotp?: boolean;
  readonly revokeTokens?: boolean;
}

const PASSWORD_STDIN = [
  '--password-stdin',
  'take the password from standard input, asked for at a terminal; without it one is made and printed this once',
] as const;

export function addAccountCommands(program: Command): void {
  const group = program.command('account').description('accounts: the logins of people, one each');
  command(group, 'add <name>', 'make an account; makes a new store and its key where there is none')
    .requiredOption('--role <role>', `one of ${ROLES.join(', ')}`)
    .option('--client <id>', 'the client whose account it is; for the role client, and no other')
    .addOption(new Repeatable('--ip <cidr>', 'only from this address or block', looksLikeBlock))
    .option(...PASSWORD_STDIN)
    .action(add);
  command(group, 'list', 'all accounts, disabled ones too').action(list);
  command(group, 'show <name>', 'one account').action(show);
  onRecord(command(group, 'update <name>', 'change what is named; its sessions end, and with another role or client its API tokens do'))
    .option('--role <role>', `one of ${ROLES.join(', ')}`)
    .option('--client <id>', 'the client whose account it is; for the role client, and no other')
    .addOption(new Repeatable('--ip <cidr>', 'only from this address or block', looksLikeBlock))
    .option('--any-ip', 'from anywhere')
    .action(update);
  command(group, 'disable <name>', 'nobody gets in with it from now on; its sessions and API tokens are dead at once').action(disable);
  command(group, 'enable <name>', 'take that back, and let in again whom failed log-ins keep out; sessions stay over').action(enable);
  command(group, 'password <name>', 'give it a new password; its sessions end')
    .option(...PASSWORD_STDIN)
    .option('--revoke-tokens', 'its API tokens end, too')
    .option('--without-totp', 'take the second factor away, too: its authenticator is lost')
    .action(password);
}

async function add(name: string, options: AddOptions): Promise<void> {
  const { role, client, ip: ips = [], passwordStdin } = options;
  const given = await passwordOf(passwordStdin);
  await withHouse(
    options,
    async house =>
      printIssued(settled(await house.accounts.directory.add({ name, role, client, ips, password: given }, whoOf())), options, 'added'),
    true,
  );
}

async function list(options: Common): Promise<void> {
  await withHouse(options, async house => {
    const accounts = await house.accounts.directory.list();
    if (options.json === true) return printJson(accounts.map(shown));
    const rows = accounts.map(({ name, role, client, ips, totp, lastLogin, disabled }) => [
      name,
      role,
      client ?? '',
      ips.join(' ') || 'any',
      totp ? 'yes' : 'no',
      lastLogin === undefined ? 'never' : isoTime(lastLogin.at),
      disabled ? 'disabled' : '',
    ]);
    printTable(['account', 'role', 'client', 'addresses', 'second factor', 'last log-in', ''], rows);
  });
}

async function show(name: string, options: Common): Promise<void> {
  await withHouse(options, async house => {
    const account = await house.accounts.directory.show(name);
    if (account === undefined) throw new CommandFailure(`no account '${name}'; postern account list names them`);
    if (options.json === true) return printJson(shown(account));
    for (const [field, value] of Object.entries(shown(account))) {
      const text = Array.isArray(value) ? value.join(' ') || 'any' : value;
      if (text !== undefined) printLine(`${field.padEnd(18)} ${text}`);
    }
  });
}

async function update(name: string, options: UpdateOptions): Promise<void> {
  const { role, client, ip, anyIp } = options;
  if (ip !== undefined && anyIp === true) throw usage('--ip and --any-ip cannot be combined');
  const ips = anyIp === true ? [] : ip;
  if ([role, client, ips].every(one => one === undefined)) throw usage('nothing to change: name --role, --client, --ip or --any-ip');
  const change = {
    ...(role === undefined ? {} : { role }),
    ...(client === undefined ? {} : { client }),
    ...(ips === undefined ? {} : { ips }),
  };
  await withHouse(options, async house => {
    const account = settled(await house.accounts.directory.update(name, change, whoOf(options)));
    if (options.json === true) printJson(shown(account));
    else printLine(`account ${account.name} changed`);
  });
}

function disable(name: string, options: Common): Promise<void> {
  return setDisabled(name, true, options);
}

function enable(name: string, options: Common): Promise<void> {
  return setDisabled(name, false, options);
}

async function setDisabled(name: string, disabled: boolean, options: Common): Promise<void> {
  await withHouse(options, async house => {
    const account = settled(await house.accounts.directory.update(name, { disabled }, whoOf()));
    if (options.json === true) printJson(shown(account));
    else printLine(`account ${account.name} ${disabled ? 'disabled' : 'enabled'}`);
  });
}

async function password(name: string, options: PasswordOptions): Promise<void> {
  const given = await passwordOf(options.passwordStdin);
  await withHouse(options, async house => {
    const { directory, tokens } = house.accounts;
    const issued = settled(await directory.setPassword(name, given, whoOf(), options.revokeTokens));
    const account = options.withoutTotp === true ? settled(await directory.dropTotp(name, whoOf())) : issued.account;
    printIssued({ ...issued, account }, options, 'changed');
    const alive = (await tokens.list(account.id)).filter(({ expiresAt }) => expiresAt > house.clock.now()).length;
    if (alive > 0) await writeError(`API tokens that still open it: ${alive}; --revoke-tokens ends them\n`);
  });
}

/** What is typed at the terminal, or the first line of standard input. Not an argument: those stand in the list of processes and in the shell's history. */
async function passwordOf(fromStdin: boolean | undefined): Promise<string | undefined> {
  if (fromStdin !== true) return undefined;
  if (process.stdin.isTTY) return askNewPassword();
  for await (const line of createInterface({ input: process.stdin })) return line;
  throw usage('standard input holds no password');
}

function printIssued({ account, password: made }: IssuedAccount, options: Common, done: string): void {
  if (options.json === true) printJson({ account: shown(account), ...(made === undefined ? {} : { password: made }) });
  else if (made === undefined) printLine(`account ${account.name} ${done}`);
  else printLine(`account  ${account.name}\npassword ${made}\nShown this once: it cannot be read again, only changed.`);
}

function shown({ id: _, client, accepted, lastLogin, createdAt, ...account }: Account) {
  return {
    ...account,
    ...(client === undefined ? {} : { client }),
    ...(accepted === undefined ? {} : { acceptedPolicy: accepted.version, acceptedAt: isoTime(accepted.at) }),
    ...(lastLogin === undefined ? {} : { lastLoginAt: isoTime(lastLogin.at), lastLoginFrom: lastLogin.from }),
    createdAt: isoTime(createdAt),
  };
}
