/** `postern explain`: what would become of a mail, and why, without sending it. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { policiesOf } from '../app.ts';
import { toCrlf } from '../mail/line-ends.ts';
import { StoreUnavailable } from '../store/store.ts';
import { type Rehearsed, rehearse } from '../submission/rehearsal.ts';
import { TrackedLinks } from '../watch/tracked-links.ts';
import { type Common, command, withHouse } from './command.ts';
import { CommandFailure, EXIT, usage } from './exit.ts';
import { printJson, printLine } from './output.ts';
import { knownClient } from './settled.ts';

interface ExplainOptions extends Common {
  readonly client: string;
  readonly campaign?: string;
  readonly policy?: string;
  readonly from: string;
  readonly to: string;
}

export function addExplainCommand(program: Command): void {
  command(program, 'explain [message]', 'say what would become of a mail, and why; message is an .eml file (- for standard input)')
    .requiredOption('--client <id>', 'on whose behalf')
    .option('--campaign <id>', 'as by a credential of this campaign')
    .option('--policy <name>', "instead of the client's")
    .requiredOption('--from <address>', "the reverse-path; '' for the null one")
    .requiredOption('--to <address>', 'the recipient')
    .action(explain);
}

async function explain(file: string | undefined, options: ExplainOptions): Promise<void> {
  const octets = file === undefined ? undefined : toCrlf(await readMessage(file));
  let answer: Rehearsed;
  try {
    answer = await ask(options, octets);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    // What the gate would say just now.
    answer = { verdict: 'defer', reply: '451 4.3.0 Cannot decide now', objections: [] };
    process.stderr.write(`postern: the store gives no answer: ${error.message}\n`);
    process.exitCode = EXIT.unavailable;
  }
  if (options.json === true) return printJson(answer);
  printLine(`${answer.verdict}: ${answer.reply}`);
  for (const { check, token, reason, mode } of answer.objections) printLine(`  ${check} (${token}, ${mode}): ${reason}`);
}

function ask(options: ExplainOptions, octets: Buffer | undefined): Promise<Rehearsed> {
  return withHouse(options, async house => {
    const profile = await knownClient(house, options.client);
    if (profile.disabled) throw new CommandFailure(`client ${profile.id} was removed: nothing of it may be sent`);
    const campaign = [...profile.campaigns.keys()].find(id => id === options.campaign);
    if (options.campaign !== undefined && campaign === undefined)
      throw new CommandFailure(`client ${profile.id} has no campaign '${options.campaign}'`);
    const tracked = new TrackedLinks({ store: house.store, clock: house.clock, log: house.log });
    const policies = await policiesOf(house, tracked).at(profile.globalVersion);
    const policy = policies.get(options.policy ?? profile.policy);
    if (policy === undefined) throw usage(`no policy '${options.policy ?? profile.policy}'; postern policy list names them`);
    const path = (text: string) => text.trim().replace(/^<(.*)>$/, '$1');
    const { campaignHeader } = house.config.submission;
    return rehearse({ profile, policy, campaign, from: path(options.from), to: path(options.to), octets, campaignHeader }).finally(() =>
      tracked.close(),
    );
  });
}

async function readMessage(file: string): Promise<Buffer> {
  if (file === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
  return readFile(file).catch(() => {
    throw usage(`${file}: cannot be read`);
  });
}
