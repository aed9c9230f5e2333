/** `postern token add|list|revoke`: what a program shows to the admin API instead of a login. */
import type { Command } from 'commander';
import type { ApiToken, ListedToken } from '../accounts/tokens.ts';
import type { House } from '../app.ts';
import { type Common, command, Repeatable, whole, whoOf, withHouse } from './command.ts';
import { CommandFailure } from './exit.ts';
import { isoTime, printJson, printLine, printTable } from './output.ts';
import { settled } from './settled.ts';

interface AddOptions extends Common {
  readonly name?: string;
  readonly scope?: string[];
  readonly expires: number;
}

const looksLikeScope = (text: string): boolean => /^(\*|[a-z]+):[a-z]+$/.test(text);

export function addTokenCommands(program: Command): void {
  const group = program.command('token').description('API tokens: what a program shows to the admin API');
  command(group, 'add <account>', 'make an API token of this account; printed this once')
    .addOption(
      new Repeatable(
        '--scope <scope>',
        'resource:read or resource:write, such as decisions:read (default: all that the account may)',
        looksLikeScope,
      ),
    )
    .option('--name <name>', 'what to know it by, 1 to 64 characters; it is listed, so no secret')
    .option('--expires <days>', 'how long it lives', whole, 90)
    .action(add);
  command(group, 'list [account]', 'tokens of an account, or of all').action(list);
  command(group, 'revoke <id>', 'it opens nothing from now on').action(revoke);
}

async function add(account: string, options: AddOptions): Promise<void> {
  await withHouse(options, async house => {
    const { name, scope: scopes, expires: days } = options;
    const { token, secret } = settled(await house.accounts.tokens.issue(account, { name, scopes, days }, whoOf()));
    if (options.json === true) return printJson({ ...shown(token, account), token: secret });
    printLine(
      `token   ${secret}\nid      ${token.id}\nexpires ${isoTime(token.expiresAt)}\nShown this once: it cannot be read again, only revoked.`,
    );
  });
}

async function list(account: string | undefined, options: Common): Promise<void> {
  await withHouse(options, async house => {
    const names = await namesOf(house);
    const id = account === undefined ? undefined : [...names].find(([, name]) => name === account.toLowerCase())?.[0];
    if (account !== undefined && id === undefined) throw new CommandFailure(`no account '${account}'; postern account list names them`);
    const tokens = await house.accounts.tokens.list(id);
    if (options.json === true) return printJson(tokens.map(token => shown(token, names.get(token.account))));
    const rows = tokens.map(({ id, name, account, scopes, expiresAt, usedAt }) => [
      id,
      name ?? '',
      names.get(account) ?? '',
      scopes.join(' '),
      isoTime(expiresAt),
      usedAt === undefined ? 'never' : isoTime(usedAt),
    ]);
    printTable(['token', 'name', 'account', 'scopes', 'expires', 'last used'], rows);
  });
}

async function revoke(id: string, options: Common): Promise<void> {
  await withHouse(options, async house => {
    // Not repeated: it may be the token itself.
    if (!(await house.accounts.tokens.revoke(id, whoOf()))) throw new CommandFailure('no token has this id; postern token list names them');
    if (options.json === true) printJson({ id, revoked: true });
    else printLine(`token ${id} revoked`);
  });
}

async function namesOf(house: House): Promise<ReadonlyMap<string, string>> {
  return new Map((await house.accounts.directory.list()).map(({ id, name }) => [id, name]));
}

function shown(token: ApiToken & Partial<Pick<ListedToken, 'usedAt'>>, account: string | undefined) {
  const { id, name, scopes, createdAt, expiresAt, usedAt } = token;
  const used = usedAt === undefined ? {} : { usedAt: isoTime(usedAt) };
  return {
    id,
    ...(name === undefined ? {} : { name }),
    account,
    scopes,
    createdAt: isoTime(createdAt),
    expiresAt: isoTime(expiresAt),
    ...used,
  };
}
