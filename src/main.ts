#!/usr/bin/env node
/** The command line's entrance: arguments in, exit code out. */
import { runCli } from './cli/program.ts';

process.exitCode = await runCli(process.argv.slice(2));
