/** How a command is made: what all of them take, and what is opened and closed around one. */
import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type House, openHouse } from '../app.ts';
import type { Who } from '../audit/act.ts';

/** What every command is called with beside its own options. */
export interface Common {
  readonly config?: string;
  readonly json?: boolean;
}

/** A command that does something (and not a group of them). --config and --json are the program's: they may stand anywhere. */
export function command(parent: Command, signature: string, doc: string): Command {
  return parent.command(signature).description(doc);
}

/**
 * An option that may be repeated, and that may be followed by several values at once while these look like its kind: what looks
 * otherwise is the command's next argument.
 */
export class Repeatable extends Option {
  readonly fits: (text: string) => boolean;
  constructor(flags: string, doc: string, fits: (text: string) => boolean) {
    super(flags, `${doc}; repeatable`);
    this.fits = fits;
    this.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
  }
}

/** Names of domains and hosts (with a port or not), as opposed to the id of a client or a username. */
export const looksLikeHost = (text: string): boolean => /^[^\s/@:.]+(\.[^\s/@:.]+)+\.?(:\d+)?$/.test(text);
export const looksLikeUrl = (text: string): boolean => /^https?:\/\//i.test(text);
export const looksLikeAddress = (text: string): boolean => /^[^\s@]+@[^\s@]+$/.test(text);
/** An IPv4 or IPv6 address or block. */
export const looksLikeBlock = (text: string): boolean => /^([\d.]+\.[\d.]+|[\da-f.]*:[\da-f.:]*)(\/\d+)?$/i.test(text);

/** A number among the arguments. */
export function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

/** What a command that changes anything is told for the audit trail. */
export interface OnRecord extends Common {
  readonly by?: string;
  readonly why?: string;
}

/** Adds the options of OnRecord. */
export function onRecord(target: Command): Command {
  return target
    .option('--by <name>', "who does it, for the audit trail (default: the operating system's user)")
    .option('--why <text>', 'why');
}

/** Who runs the command. */
export function whoOf({ by, why }: OnRecord = {}): Who {
  const reason = why === undefined || why.trim() === '' ? {} : { why: why.trim() };
  return { by: by === undefined || by.trim() === '' ? systemUser() : by.trim(), from: 'cli', ...reason };
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user whom nobody has named.
    return `uid ${process.getuid?.()}`;
  }
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
