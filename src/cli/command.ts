/** How a command is made: every one takes --config and --json, and gets what it needs opened and closed around it. */
import type { Command } from 'commander';
import { type House, openHouse } from '../app.ts';

/** What every command is called with beside its own options. */
export interface Common {
  readonly config?: string;
  readonly json?: boolean;
}

/** A command that does something (and not a group of them). */
export function command(parent: Command, signature: string, doc: string): Command {
  return parent
    .command(signature)
    .description(doc)
    .option('--config <file>', 'configuration file (default: ./postern.yaml where there is one)')
    .option('--json', 'print JSON');
}

/** Runs `work` with the store and all that stands on it, and closes everything afterwards. `create`: a missing store is made. */
export async function withHouse<T>(options: Common, work: (house: House) => Promise<T>, create = false): Promise<T> {
  const house = await openHouse({ file: options.config, create });
  try {
    return await work(house);
  } finally {
    await house.close();
  }
}
