/** The command line: all commands, one table of exit codes, and the only place where the CLI catches. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ConfigProblems } from '../app.ts';
import { VaultRefused, VaultUnavailable } from '../keys/vault-shelf.ts';
import { scrub } from '../ops/log.ts';
import { StoreUnavailable } from '../store/store.ts';
import { addAccountCommands } from './account.ts';
import { spellOut } from './arguments.ts';
import { addAuditCommands } from './audit.ts';
import { addCampaignCommands } from './campaign.ts';
import { addClassifyCommand } from './classify.ts';
import { addClientCommands } from './client.ts';
import { addCredentialCommands } from './credential.ts';
import { addDecisionCommands } from './decision.ts';
import { addDemoCommand } from './demo.ts';
import { addDoctorCommand } from './doctor.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { addExplainCommand } from './explain.ts';
import { addListCommands } from './list.ts';
import { addPolicyCommands } from './policy.ts';
import { addReplyCommands } from './reply.ts';
import { addServeCommand } from './serve.ts';
import { addStatsCommand } from './stats.ts';
import { addSuppressCommand } from './suppress.ts';
import { addTokenCommands } from './token.ts';
import { addWebhookCommands } from './webhook.ts';

/** src and dist both stand one folder under the package's root. */
const PACKAGE = new URL('../../package.json', import.meta.url);

/** Runs one command. Resolves to the exit code; whatever went wrong is on stderr. */
export async function runCli(args: readonly string[]): Promise<number> {
  const program = theProgram();
  if (args.length === 0) {
    process.stderr.write(program.helpInformation());
    return EXIT.usage;
  }
  // Whoever reads our output may have seen enough (`| head`).
  process.stdout.on('error', () => process.exit(EXIT.other));
  try {
    await program.parseAsync([...spellOut(program, args)], { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    return explainFailure(error);
  }
}

/** All commands, run by nobody yet. */
export function theProgram(): Command {
  const program = new Command('postern')
    .description('Compliance gate for campaign mail: refuses who may not be mailed and what may not be sent, relays the rest.')
    .version((JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version)
    .option('--config <file>', 'configuration file (default: $POSTERN_CONFIG, else ./postern.yaml where there is one)')
    .option('--json', 'print JSON')
    .hook('preAction', (root, action) => {
      for (const [name, value] of Object.entries(root.opts())) action.setOptionValue(name, value);
    });
  addServeCommand(program);
  addClientCommands(program);
  addCredentialCommands(program);
  addAccountCommands(program);
  addTokenCommands(program);
  addWebhookCommands(program);
  addCampaignCommands(program);
  addPolicyCommands(program);
  addListCommands(program);
  addSuppressCommand(program);
  addDecisionCommands(program);
  addReplyCommands(program);
  addAuditCommands(program);
  addExplainCommand(program);
  addClassifyCommand(program);
  addStatsCommand(program);
  addDoctorCommand(program);
  addDemoCommand(program);
  for (const [command, path] of everyCommand(program, 'postern')) {
    command
      .exitOverride()
      .helpCommand(false)
      .configureHelp({ showGlobalOptions: true })
      .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'postern:')) })
      .showHelpAfterError(`usage: ${path} ${command.usage()}\n(--help says more)`);
  }
  return program;
}

function* everyCommand(command: Command, path: string): Iterable<readonly [Command, string]> {
  yield [command, path];
  for (const below of command.commands) yield* everyCommand(below, `${path} ${below.name()}`);
}

function explainFailure(error: unknown): number {
  // Commander has printed help, version or its complaint already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CommandFailure) return complain(error.message, error.exitCode);
  if (error instanceof ConfigProblems) return complain(error.problems.join('\npostern: '), EXIT.usage);
  const unavailable = error instanceof StoreUnavailable || (error instanceof VaultUnavailable && !(error instanceof VaultRefused));
  return complain(error instanceof Error ? scrub(error.message) : 'unknown fault', unavailable ? EXIT.unavailable : EXIT.other);
}

function complain(message: string, exitCode: number): number {
  process.stderr.write(`postern: ${message}\n`);
  return exitCode;
}
