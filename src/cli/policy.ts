/** `postern policy list|show|set|reset|history`: which checks are asked, in which mode; every change on record. */
import { type Command, InvalidArgumentError } from 'commander';
import type { House } from '../app.ts';
import { registry } from '../checks/index.ts';
import type { Amended, PolicyState } from '../policy/book.ts';
import type { Amendments } from '../policy/options.ts';
import type { PolicyVersion } from '../policy/stored.ts';
import { type Common, command, type OnRecord, onRecord, Repeatable, whoOf, withHouse } from './command.ts';
import { CommandFailure, usage } from './exit.ts';
import { isoTime, printJson, printLine, printTable } from './output.ts';
import { settled } from './settled.ts';

type Rule = Readonly<Record<string, unknown>>;

export function addPolicyCommands(program: Command): void {
  const group = program.command('policy').description('policies: which checks are asked of mail, in which mode and with which options');
  command(group, 'list', 'all policies').action(list);
  command(group, 'show <name>', 'the checks of a policy').action(show);
  onRecord(
    command(
      group,
      'set <name> [check=mode...]',
      'change what is named, for the next transaction of every gate; a new name starts from basic',
    ),
  )
    .addOption(
      new Repeatable('--option <check.option=value>', 'an option of a check: JSON, text, or texts with commas between', text =>
        OPTION.test(text),
      ),
    )
    .action(set);
  onRecord(command(group, 'reset <name>', 'take back all that was set: as the configuration has it')).action(reset);
  command(group, 'history <name>', 'who changed what and why, newest first')
    .option('--limit <number>', 'at most so many', count, 100)
    .action(history);
}

const OPTION = /^([a-z][a-z-]*)\.(\w+)=(.*)$/s;

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1');
  return Number(text);
}

async function list(options: Common): Promise<void> {
  await withHouse(options, async ({ policyBook }) => {
    const policies = [...(await policyBook.now()).policies.values()];
    if (options.json === true) return printJson(policies.map(shown));
    const rows = policies.map(({ name, amendments, last, problems }) => [
      name,
      last?.version ?? 0,
      last === undefined ? '' : isoTime(last.at),
      last?.by ?? '',
      problems.length > 0 ? 'cannot be used' : Object.keys(amendments).join(' '),
    ]);
    printTable(['policy', 'version', 'since', 'by', 'set here'], rows);
  });
}

async function show(name: string, options: Common): Promise<void> {
  await withHouse(options, async house => {
    const state = await known(house, name);
    if (options.json === true) return printJson(shown(state));
    for (const problem of state.problems) printLine(`cannot be used: ${problem}`);
    const rows = (state.settings ?? []).map(({ check, mode, options: of }) => [
      check,
      mode,
      Object.hasOwn(state.amendments, check) ? 'set here' : '',
      JSON.stringify(of),
    ]);
    printTable(['check', 'mode', '', 'options'], rows);
  });
}

async function set(name: string, rules: readonly string[], options: OnRecord & { readonly option?: readonly string[] }): Promise<void> {
  const who = withReason(options);
  await withHouse(options, async ({ policyBook }) => {
    const state = (await policyBook.now()).policies.get(name);
    const amendments = new Map(
      Object.entries(state?.amendments ?? {}).map(([check, given]): [string, Rule] => [check, { ...(given as Rule) }]),
    );
    const lay = (check: string, rule: Rule): void => {
      const mode = state?.settings?.find(setting => setting.check === check)?.mode ?? 'enforce';
      amendments.set(check, { mode, ...amendments.get(check), ...rule });
    };
    for (const [, check, option, text] of (options.option ?? []).map(read(OPTION, '--option')))
      lay(check as string, { [option as string]: readValue(check as string, option as string, text as string) });
    for (const [, check, mode] of rules.map(read(/^([a-z][a-z-]*)=(.*)$/, 'rule'))) lay(check as string, { mode });
    const amended = await policyBook.amend(name, Object.fromEntries(amendments) as Amendments, who, state && (state.last?.version ?? 0));
    told(settled(amended), options);
  });
}

async function reset(name: string, options: OnRecord): Promise<void> {
  const who = withReason(options);
  await withHouse(options, async house => {
    const { last } = await known(house, name);
    told(settled(await house.policyBook.amend(name, {}, who, last?.version ?? 0)), options);
  });
}

async function history(name: string, options: Common & { readonly limit: number }): Promise<void> {
  await withHouse(options, async house => {
    const versions = await house.policyBook.history(name, { limit: options.limit });
    if (versions.length === 0) await known(house, name);
    if (options.json === true) return printJson(versions.map(version => ({ ...version, at: isoTime(version.at) })));
    const rows = versions.map(one => [one.version, isoTime(one.at), one.by, one.from, changesOf(one), one.why ?? '']);
    printTable(['version', 'time', 'by', 'from', 'changes', 'why'], rows);
  });
}

async function known({ policyBook }: House, name: string): Promise<PolicyState> {
  const state = (await policyBook.now()).policies.get(name);
  if (state === undefined) throw new CommandFailure(`no policy '${name}'; postern policy list names them`);
  return state;
}

/** A change of rules is told to auditors with its reason. */
function withReason(options: OnRecord): ReturnType<typeof whoOf> {
  const who = whoOf(options);
  if (who.why === undefined) throw usage('--why: say why the policy is changed');
  return who;
}

function read(pattern: RegExp, what: string): (text: string) => RegExpExecArray {
  return text => {
    const match = pattern.exec(text);
    if (match === null)
      throw usage(`${what} '${text}': write ${what === 'rule' ? 'personal-address=observe' : 'personal-address.allow=works.example'}`);
    return match;
  };
}

function readValue(check: string, option: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const { properties = {} } = (registry.find(({ name }) => name === check)?.options ?? {}) as {
      properties?: Record<string, { type?: string }>;
    };
    return Object.hasOwn(properties, option) && properties[option]?.type === 'array' ? text.split(',').map(one => one.trim()) : text;
  }
}

function told({ state, outcome }: Amended, options: Common): void {
  const changes = outcome === 'changed' && state.last !== undefined ? `: ${changesOf(state.last)}` : '';
  if (options.json === true) printJson(shown(state));
  else printLine(outcome === 'unchanged' ? `policy ${state.name} is so already` : `policy ${state.name} ${outcome}${changes}`);
}

function changesOf({ changes }: PolicyVersion): string {
  const texts = changes.map(({ check, from, to }) => {
    if (from === undefined) return `${check} ${to.mode}`;
    return from.mode === to.mode ? `${check} options` : `${check} ${from.mode} → ${to.mode}`;
  });
  return texts.join(', ') || 'none';
}

function shown({ name, settings, problems, amendments, last }: PolicyState) {
  const since = last === undefined ? {} : { changedAt: isoTime(last.at), changedBy: last.by };
  return { name, version: last?.version ?? 0, ...since, amendments, problems, checks: settings ?? [] };
}
