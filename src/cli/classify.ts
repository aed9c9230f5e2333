/** `postern classify`: what mail that came back would be taken for, file by file, without store or configuration. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Classifier, loadClassifier } from '../inbound/classify.ts';
import type { Finding } from '../inbound/finding.ts';
import { toCrlf } from '../mail/line-ends.ts';
import { parseMessage } from '../mail/message.ts';
import { type Common, command } from './command.ts';
import { EXIT, usage } from './exit.ts';
import { write, writeError } from './output.ts';

interface ClassifyOptions extends Common {
  readonly rules?: string;
}

/** Far above what any server takes for a mail: a file of another kind must not fill the memory. */
const MAX_OCTETS = 256 << 20;

export function addClassifyCommand(program: Command): void {
  command(program, 'classify <file...>', 'say what mail that came back is: .eml files, folders of them, - for standard input')
    .option('--rules <folder>', 'with tables of your own beside ours, as inbound.rules')
    .action(classify);
}

async function classify(files: readonly string[], options: ClassifyOptions): Promise<void> {
  if (options.rules !== undefined && !(await isFolder(options.rules))) throw usage(`--rules ${options.rules}: no such folder`);
  const classifier = loadClassifier(options.rules);
  const print = options.json === true ? jsonLine : tableLine;
  for (const file of files) {
    for await (const { path, problem } of below(file)) {
      const octets = problem === undefined ? await read(path) : undefined;
      if (Buffer.isBuffer(octets)) {
        await write(print(path, judge(classifier, octets)));
        continue;
      }
      await writeError(`postern: ${path}: ${problem ?? octets}\n`);
      process.exitCode = EXIT.other;
    }
  }
}

/** Judges the message in a file: whatever its line ends, and whether or not a mailbox's `From ` line stands before it (RFC 4155). */
function judge(classifier: Classifier, octets: Buffer): Finding {
  const message = toCrlf(octets);
  const begin = message.subarray(0, 5).toString('latin1') === 'From ' ? message.indexOf('\r\n') + 2 : 0;
  return classifier.classify(parseMessage(message.subarray(begin)));
}

interface Place {
  readonly path: string;
  readonly problem?: string;
}

/** The file itself, or the files in a folder and below it, in the order of their names; hidden ones only where named. */
async function* below(path: string): AsyncIterable<Place> {
  if (!(await isFolder(path))) return yield { path };
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    return yield { path, problem: why(error) };
  }
  for (const name of names.sort()) if (!name.startsWith('.')) yield* below(join(path, name));
}

async function isFolder(path: string): Promise<boolean> {
  return path !== '-' && (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

/** What the file holds, or why it cannot be read. */
async function read(path: string): Promise<Buffer | string> {
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of path === '-' ? process.stdin : createReadStream(path)) {
      length += chunk.length;
      if (length > MAX_OCTETS) return `larger than ${MAX_OCTETS >> 20} MiB, which is no mail`;
      chunks.push(chunk);
    }
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  } catch (error) {
    return why(error);
  }
}

function why(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'no such file' : `cannot be read (${code ?? 'unknown fault'})`;
}

function jsonLine(file: string, { kind, recipients, ownText, matched, language }: Finding): string {
  const named = recipients.map(({ address, status, permanent }) => ({ address, status: status ?? null, permanent }));
  const because = matched === undefined ? null : { rule: matched.rule, span: matched.span };
  return `${JSON.stringify({ file, kind, recipients: named, ownText, matched: because, language: language ?? null })}\n`;
}

/** Columns of fixed widths, because a table of any length is not measured first. */
function tableLine(file: string, { kind, recipients, matched, language }: Finding): string {
  const named = recipients.map(({ address, status, permanent }) => `${address} ${status ?? '-'} ${permanent ? 'permanent' : 'temporary'}`);
  return `${[kind.padEnd(11), (language ?? '-').padEnd(2), (matched?.rule ?? '-').padEnd(28), file, ...named].join('  ')}\n`;
}
