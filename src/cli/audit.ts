/** `postern audit show|verify`: who changed what, and whether that record is whole. */
import { type Command, InvalidArgumentError } from 'commander';
import type { House } from '../app.ts';
import type { AuditLine } from '../audit/act.ts';
import type { Verification } from '../audit/verify.ts';
import { GLOBAL } from '../ids.ts';
import { type Common, command, withHouse } from './command.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { isoTime, printJson, printLine, printTable } from './output.ts';
import { SINCE, sinceOf } from './since.ts';

interface ShowOptions extends Common {
  readonly since?: string;
  readonly limit: number;
}

/** Whose line it is, which the line itself does not say. */
type Shown = AuditLine & { readonly owner: string };

export function addAuditCommands(program: Command): void {
  const group = program
    .command('audit')
    .description('audit trails, one a client and one for all of them: who changed what, when, from where and why');
  command(group, 'show [owner]', 'the lines of a client, of global, or of all; newest first')
    .option('--since <time>', `only from then on: ${SINCE}`)
    .option('--limit <number>', 'at most so many', count, 100)
    .action(show);
  command(group, 'verify [owner]', 'find every edit, cut, insertion and reordering; exit code 1 where there is one').action(verify);
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1');
  return Number(text);
}

async function show(owner: string | undefined, options: ShowOptions): Promise<void> {
  await withHouse(options, async house => {
    const since = options.since === undefined ? 0 : sinceOf(options.since, house.clock.now());
    const owners = owner === undefined ? [GLOBAL, ...(await house.clients.ids())] : [await knownOwner(house, owner)];
    const found: Shown[] = [];
    for (const one of owners) {
      for await (const line of house.audit.list(one, { since, limit: options.limit })) found.push({ owner: one, ...line });
    }
    const lines = found.sort((a, b) => b.at - a.at || b.n - a.n).slice(0, options.limit);
    if (options.json === true) return printJson(lines.map(line => ({ ...line, at: isoTime(line.at) })));
    const rows = lines.map(({ owner, n, at, by, from, what, about, why }) => [
      owner,
      n,
      isoTime(at),
      by,
      from,
      what,
      told(about),
      why ?? '',
    ]);
    printTable(['trail', 'line', 'time', 'by', 'from', 'what', 'about', 'why'], rows);
  });
}

function told(about: AuditLine['about']): string {
  const words = Object.entries(about ?? {}).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return words.join(' ');
}

async function verify(owner: string | undefined, options: Common): Promise<void> {
  await withHouse(options, async house => {
    const verifications: Verification[] = [];
    if (owner !== undefined) verifications.push(await house.audit.verify(await knownOwner(house, owner)));
    else for await (const one of house.audit.verifyAll(await house.clients.ids())) verifications.push(one);
    if (options.json === true) printJson(verifications);
    else for (const one of verifications) print(one);
    if (verifications.some(({ findings }) => findings.length > 0)) process.exitCode = EXIT.other;
  });
}

function print({ owner, records, anchored, findings }: Verification): void {
  printLine(`${owner}: ${findings.length === 0 ? 'whole' : `${findings.length} findings`}, ${records} records, anchored up to ${anchored}`);
  for (const { what, text } of findings) printLine(`  ${what}: ${text}`);
}

async function knownOwner(house: House, text: string): Promise<string> {
  const known = [GLOBAL, ...(await house.clients.ids())].find(id => id === text);
  if (known === undefined) throw new CommandFailure(`no client '${text}'; postern client list names them`);
  return known;
}
