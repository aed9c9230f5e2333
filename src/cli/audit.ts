/** `postern audit show|verify|accept`: who changed what, whether that record is whole, and what a restore lost of it. */
import { type Command, InvalidArgumentError } from 'commander';
import type { House } from '../app.ts';
import type { AuditLine } from '../audit/act.ts';
import type { AcceptedLoss, Verification } from '../audit/verify.ts';
import { GLOBAL } from '../ids.ts';
import { type Common, command, type OnRecord, whoOf, withHouse } from './command.ts';
import { CommandFailure, EXIT, usage } from './exit.ts';
import { isoTime, printJson, printLine, printTable } from './output.ts';
import { targetOf } from './settled.ts';
import { SINCE, spanOf } from './since.ts';

interface ShowOptions extends Common {
  readonly what?: string;
  readonly actor?: string;
  readonly about?: string;
  readonly from?: string;
  readonly since?: string;
  readonly to?: string;
  readonly limit: number;
}

/** Whose line it is, which the line itself does not say. */
type Shown = AuditLine & { readonly owner: string };

export function addAuditCommands(program: Command): void {
  const group = program
    .command('audit')
    .description('audit trails, one a client and one for all of them: who changed what, when, from where and why');
  command(group, 'show [owner]', 'the lines of a client, of global, or of all; newest first')
    .option('--what <act>', 'only of this kind, as the lines have it; a whole group with its dot, like client.')
    .option('--actor <name>', 'only what this account, or user of the operating system, did')
    .option('--about <name>', 'only what was done to the entry of this address or domain')
    .option('--from <time>', `only from then on: ${SINCE}`)
    .option('--since <time>', 'the same as --from')
    .option('--to <time>', 'and before this time')
    .option('--limit <number>', 'at most so many', count, 100)
    .action(show);
  command(group, 'verify [owner]', 'find every edit, cut, insertion and reordering; exit code 1 where there is one').action(verify);
  command(group, 'accept <owner>', 'after a restore from a backup: accept on record, and for ever visibly, that the newer lines are lost')
    .requiredOption('--by <name>', 'who accepts it')
    .requiredOption('--why <text>', 'why they are lost: which restore, when')
    .action(accept);
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1');
  return Number(text);
}

async function show(owner: string | undefined, options: ShowOptions): Promise<void> {
  await withHouse(options, async house => {
    const whom = options.about === undefined ? undefined : house.lists.digestsOf(targetOf(options.about));
    const query = { ...spanOf(options, house.clock.now()), what: options.what, by: options.actor, whom, limit: options.limit };
    const owners = owner === undefined ? [GLOBAL, ...(await house.clients.ids())] : [await knownOwner(house, owner)];
    const found: Shown[] = [];
    for (const one of owners) {
      for await (const line of house.audit.list(one, query)) found.push({ owner: one, ...line });
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
    const owners = owner === undefined ? await anchoredOwners(house) : [await anchoredOwner(house, owner)];
    const verifications: Verification[] = [];
    for (const one of owners) verifications.push(await house.audit.verify(one));
    if (options.json === true) printJson(verifications);
    else for (const one of verifications) print(one);
    if (verifications.some(({ findings }) => findings.length > 0)) process.exitCode = EXIT.other;
  });
}

function print({ owner, records, anchored, findings, accepted }: Verification): void {
  const but = accepted.length === 0 ? '' : ' but for what was accepted as lost';
  const state = findings.length === 0 ? `whole${but}` : `${findings.length} finding${findings.length === 1 ? '' : 's'}`;
  printLine(`${owner}: ${state}, ${records} records, anchored up to ${anchored}`);
  for (const { what, text } of findings) printLine(`  ${what}: ${text}`);
  for (const one of accepted) printLine(`  accepted: ${describeLoss(one)}`);
}

/** For one line: which lines are lost, who accepted that, when and why. */
export function describeLoss({ from, to, by, at, why }: AcceptedLoss): string {
  return `lines ${from} to ${to} were lost; accepted by ${by} at ${isoTime(at)}: ${why}`;
}

async function accept(owner: string, options: OnRecord): Promise<void> {
  const who = whoOf(options);
  if (options.by?.trim() === '' || who.why === undefined) throw usage('--by NAME and --why TEXT: an acceptance is on record');
  await withHouse(options, async house => {
    const known = await anchoredOwner(house, owner);
    const lost = await house.audit.accept(known, who);
    if ('problem' in lost) throw new CommandFailure(`${known}: ${lost.problem}`);
    if (options.json === true) return printJson(lost);
    if (lost.length === 0) printLine(`${known}: nothing is lost`);
    for (const { from, to } of lost) printLine(`${known}: lines ${from} to ${to} accepted as lost; postern audit verify goes on saying so`);
  });
}

async function knownOwner(house: House, text: string): Promise<string> {
  return among([GLOBAL, ...(await house.clients.ids())], text);
}

/** Of whom there is a trail, or was one: a restore may have lost the client, too. */
async function anchoredOwner(house: House, text: string): Promise<string> {
  return among(await anchoredOwners(house), text);
}

async function anchoredOwners(house: House): Promise<readonly string[]> {
  return house.audit.owners(await house.clients.ids());
}

function among(owners: readonly string[], text: string): string {
  const known = owners.find(id => id === text);
  if (known === undefined) throw new CommandFailure(`no client '${text}'; postern client list names them`);
  return known;
}
