#!/usr/bin/env node
/** The command line's entrance: arguments in, exit code out. */
import { runCli } from './cli/program.ts';

process.exitCode = await runCli(process.argv.slice(2));
// A worker's channel to its primary would keep it alive.
if (process.connected) process.exit();
