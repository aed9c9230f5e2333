/** `postern list add|remove|show|import|export`: the exclusion lists of a scope. */
import { createReadStream } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { GLOBAL } from '../ids.ts';
import { HASH_ALGORITHMS, type HashAlgorithm } from '../keys/digest.ts';
import { exportHeader, exportLines } from '../lists/export.ts';
import { type ImportReport, type ImportOptions as ImportWork, importList } from '../lists/import.ts';
import type { ListEntry } from '../lists/lists.ts';
import { command, type OnRecord, onRecord, whoOf, withHouse } from './command.ts';
import { CommandFailure, usage } from './exit.ts';
import { exporting, type Tally, tallied } from './exporting.ts';
import { isoTime, printJson, printJsonArray, printLine, write, writeError } from './output.ts';
import { type Progress, startProgress } from './progress.ts';
import { knownScope, reasonOf, targetOf } from './settled.ts';

interface ImportOptions extends OnRecord {
  readonly hash?: string;
  readonly dryRun?: boolean;
  readonly strict?: boolean;
  readonly reason?: string;
}

export function addListCommands(program: Command): void {
  const group = program.command('list').description('exclusion lists; a scope is global, <client> or <client>/<campaign>');
  onRecord(command(group, 'add <scope> <target>', 'exclude an address, or a domain with its subdomains'))
    .option('--reason <reason>', 'why (default: manual)')
    .action(add);
  onRecord(command(group, 'remove <scope> <target>', 'take back what an operator or an import put there')).action(remove);
  onRecord(command(group, 'show <scope>', 'the entries of exactly this scope; on record as an export')).action(show);
  onRecord(command(group, 'import <scope> <file>', 'import addresses and domains from TXT or CSV (- for standard input)'))
    .option('--hash <algorithm>', 'the file holds hashes: sha1, sha256 or md5 of lower-cased addresses')
    .option('--dry-run', 'only say what would happen')
    .option('--strict', 'import nothing if any row is bad')
    .option('--reason <reason>', 'why, for every row (default: what the file says, else import)')
    .action(importFile);
  onRecord(command(group, 'export <scope>', 'print the readable entries as CSV that import takes back')).action(exportScope);
}

async function add(scopeText: string, targetText: string, options: OnRecord & { reason?: string }): Promise<void> {
  const target = targetOf(targetText);
  const reason = reasonOf(options.reason ?? 'manual');
  await withHouse(options, async house => {
    const scope = await knownScope(house, scopeText);
    const who = whoOf(options);
    const result = await house.lists.add(scope, target, { reason, source: 'operator', by: who.by }, who);
    if (typeof result === 'object') throw usage(result.problem);
    if (options.json === true) printJson({ scope: scopeText, result });
    else printLine(result);
  });
}

async function remove(scopeText: string, targetText: string, options: OnRecord): Promise<void> {
  const target = targetOf(targetText);
  await withHouse(options, async house => {
    const result = await house.lists.remove(await knownScope(house, scopeText), target, whoOf(options));
    if (typeof result === 'object') {
      const why = result.kept.length === 0 ? 'it cannot be read' : `of: ${result.kept.join(', ')}`;
      throw new CommandFailure(
        `still listed because ${why}; only a named person's act takes that back: postern suppress --lift --by NAME --why TEXT`,
      );
    }
    if (result === 'absent') throw new CommandFailure(`${scopeText} does not list this`);
    if (options.json === true) printJson({ scope: scopeText, result });
    else printLine(result);
  });
}

async function show(scopeText: string, options: OnRecord): Promise<void> {
  await withHouse(options, async house => {
    const scope = await knownScope(house, scopeText);
    const about = { lists: ['exclusion', 'suppression'], scope: scopeText };
    await exporting(house, { owner: scope.owner, who: whoOf(options), about }, async tally => {
      const entries = tallied(house.lists.show(scope), tally);
      if (options.json === true) return printJsonArray(shown(entries));
      for await (const { list, match, target, digest, acts } of entries) {
        const why = acts.map(({ reason, source, at }) => `${reason} by ${source} ${isoTime(at)}`).join(', ');
        await write(`${list.padEnd(11)}  ${match.padEnd(7)}  ${target ?? `digest ${digest}…`}  ${why}\n`);
      }
    });
  });
}

async function* shown(entries: AsyncIterable<ListEntry>): AsyncIterable<object> {
  for await (const { acts, ...entry } of entries) yield { ...entry, acts: acts.map(act => ({ ...act, at: isoTime(act.at) })) };
}

async function importFile(scopeText: string, file: string, options: ImportOptions): Promise<void> {
  const { dryRun = false, strict = false } = options;
  const hash = hashOf(options.hash);
  const reason = options.reason === undefined ? undefined : reasonOf(options.reason);
  const size = file === '-' ? 0 : await sizeOf(file);
  await withHouse(options, async house => {
    const scope = await knownScope(house, scopeText);
    const chunks = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 });
    const report = await withProgress(dryRun, size, progress =>
      importList(house.lists, scope, chunks, { hash, reason, dryRun, strict, ...progress }),
    );
    const { read, added, existing, invalid, errors } = report;
    const about = { scope: scopeText, read, added, existing, invalid, ...(hash === undefined ? {} : { hash }) };
    if (!dryRun) {
      await house.audit.record(scope.owner, { ...whoOf(options), what: 'import', about });
      const state = strict && invalid > 0 ? 'refused' : 'finished';
      const data = { campaign: scope.campaign, state, counts: { read, added, existing, invalid } };
      if (scope.owner !== GLOBAL) await house.outbox.tell(scope.owner, [{ type: 'import.finished', data }]);
    }
    if (options.json === true) printJson(report);
    else {
      for (const { line, error } of errors) await writeError(`line ${line}: ${error}\n`);
      if (invalid > errors.length) await writeError(`and ${invalid - errors.length} more bad rows\n`);
      printLine(`${read} read, ${added} ${dryRun ? 'to be added' : 'added'}, ${existing} existing, ${invalid} invalid`);
    }
    if (strict && invalid > 0) throw new CommandFailure(`nothing was imported: ${invalid} bad rows (--strict)`);
  });
}

/** One bar for reading the file, one for putting it into the store. */
async function withProgress(
  dryRun: boolean,
  size: number,
  run: (progress: Pick<ImportWork, 'reading' | 'merging'>) => Promise<ImportReport>,
): Promise<ImportReport> {
  const reading = startProgress('reading', size);
  let writing: Progress | undefined;
  const merging = (done: number, total: number) => {
    reading.end();
    writing ??= startProgress(dryRun ? 'comparing' : 'importing', total);
    writing.at(done);
  };
  try {
    return await run({ reading: reading.at, merging });
  } finally {
    reading.end();
    writing?.end();
  }
}

async function exportScope(scopeText: string, options: OnRecord): Promise<void> {
  await withHouse(options, async house => {
    const scope = await knownScope(house, scopeText);
    const json = options.json === true;
    const about = { list: 'exclusion', scope: scopeText, format: json ? 'json' : 'csv' };
    await exporting(house, { owner: scope.owner, who: whoOf(options), about }, async tally => {
      const entries = readable(house.lists.show(scope), tally);
      if (json) return printJsonArray(shown(tallied(entries, tally)));
      await write(exportHeader('exclusion', 'csv'));
      for await (const entry of entries) {
        for (const line of exportLines(entry, 'csv')) {
          await write(line);
          tally.rows += 1;
        }
      }
      if (tally.unreadable > 0) process.stderr.write(`${tally.unreadable} entries are kept as digests only and cannot be exported\n`);
    });
  });
}

async function* readable(entries: AsyncIterable<ListEntry>, tally: Tally): AsyncIterable<ListEntry> {
  for await (const entry of entries) {
    if (entry.list === 'exclusion' && entry.target !== undefined) yield entry;
    else tally.unreadable += 1;
  }
}

function hashOf(text: string | undefined): HashAlgorithm | undefined {
  if (text === undefined) return undefined;
  const algorithm = HASH_ALGORITHMS.find(name => name === text);
  if (algorithm === undefined) throw usage(`--hash '${text}' is none; use one of ${HASH_ALGORITHMS.join(', ')}`);
  return algorithm;
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw usage(`${file}: no such file`);
  if (found.isDirectory()) throw usage(`${file}: is a folder; name a file`);
  await access(file, constants.R_OK).catch(() => {
    throw usage(`${file}: may not be read`);
  });
  return found.isFile() ? found.size : 0;
}
