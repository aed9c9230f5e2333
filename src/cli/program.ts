/** The command line: all commands, one table of exit codes, and the only place where the CLI catches. */
import { Command, CommanderError } from 'commander';
import { ConfigProblems } from '../app.ts';
import { KeyringProblem } from '../keys/keyring.ts';
import { scrub } from '../ops/log.ts';
import { StoreUnavailable } from '../store/store.ts';
import { addCampaignCommands } from './campaign.ts';
import { addClientCommands } from './client.ts';
import { addCredentialCommands } from './credential.ts';
import { addDecisionCommands } from './decision.ts';
import { addDemoCommand } from './demo.ts';
import { addDoctorCommand } from './doctor.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { addExplainCommand } from './explain.ts';
import { addListCommands } from './list.ts';
import { addServeCommand } from './serve.ts';
import { addStatsCommand } from './stats.ts';
import { addSuppressCommand } from './suppress.ts';

/** Runs one command. Resolves to the exit code; whatever went wrong is on stderr. */
export async function runCli(args: readonly string[]): Promise<number> {
  const program = new Command('postern')
    .description('Compliance gate for campaign mail: refuses who may not be mailed and what may not be sent, relays the rest.')
    .exitOverride()
    .showHelpAfterError('(add --help for usage)');
  addServeCommand(program);
  addClientCommands(program);
  addCredentialCommands(program);
  addCampaignCommands(program);
  addListCommands(program);
  addSuppressCommand(program);
  addDecisionCommands(program);
  addExplainCommand(program);
  addStatsCommand(program);
  addDoctorCommand(program);
  addDemoCommand(program);
  for (const command of everyCommand(program)) command.exitOverride().showHelpAfterError('(add --help for usage)');
  if (args.length === 0) {
    process.stderr.write(program.helpInformation());
    return EXIT.usage;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    return explainFailure(error);
  }
}

function* everyCommand(command: Command): Iterable<Command> {
  for (const below of command.commands) {
    yield below;
    yield* everyCommand(below);
  }
}

function explainFailure(error: unknown): number {
  // Commander has printed help, version or its complaint already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CommandFailure) return complain(error.message, error.exitCode);
  if (error instanceof ConfigProblems) return complain(error.problems.join('\npostern: '), EXIT.usage);
  if (error instanceof StoreUnavailable) return complain(`the store gives no answer: ${error.message}`, EXIT.unavailable);
  if (error instanceof KeyringProblem) return complain(error.message, EXIT.other);
  return complain(error instanceof Error ? scrub(error.message) : 'unknown fault', EXIT.other);
}

function complain(message: string, exitCode: number): number {
  process.stderr.write(`postern: ${message}\n`);
  return exitCode;
}
