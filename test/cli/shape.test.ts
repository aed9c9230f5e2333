/** The command line as a whole: which commands there are, what --help and a slip of the pen are answered with, and where answers go. */
import type { Command } from 'commander';
import t from 'tap';
import { theProgram } from '../../src/cli/program.ts';
import { startShell } from '../support/command.ts';
import { mustAnswer, newSite } from '../support/site.ts';

/** Every command, with what its help must name. Other tools rely on these. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  serve: [],
  'client add': ['<id>', '--name', '--privacy-url', '--from-domain', '--return-path-domain', '--policy', '--upstream', '--reply-address'],
  'client update': ['<id>', '--reply-address', '--return-path', '--tag-reply-to', '--no-tag-reply-to', '--forward-to'],
  'client list': [],
  'client show': ['<id>'],
  'client remove': ['<id>'],
  'credential add': ['<client>', '<username>', '--campaign', '--policy', '--ip', '--no-password'],
  'credential list': [],
  'credential disable': [],
  'credential rotate': [],
  'credential update': ['<client>', '[username]', '--ip', '--campaign', '--policy'],
  'campaign add': ['<client>', '<id>', '--target-domain'],
  'campaign update': ['<client>', '<id>', '--target-domain', '--no-target-domain'],
  'campaign list': [],
  'campaign show': [],
  'account add': ['<name>', '--role', '--client', '--ip', '--password-stdin'],
  'account list': [],
  'account show': ['<name>'],
  'account update': ['<name>', '--role', '--client', '--ip', '--any-ip', '--by', '--why'],
  'account disable': ['<name>'],
  'account enable': ['<name>'],
  'account password': ['<name>', '--without-totp'],
  'token add': ['<account>', '--name', '--scope', '--expires'],
  'token list': [],
  'token revoke': ['<id>'],
  'policy list': [],
  'policy show': ['<name>'],
  'policy set': ['<name>', '[check=mode...]', '--option', '--by', '--why'],
  'policy reset': ['<name>', '--why'],
  'policy history': ['<name>', '--limit'],
  'webhook add': ['<client>', '<url>', '--type', '--by', '--why'],
  'webhook list': ['<client>'],
  'webhook show': ['<client>', '<webhook>'],
  'webhook update': ['<client>', '<webhook>', '--type', '--on', '--off', '--by', '--why'],
  'webhook rotate': ['<client>', '<webhook>', '--by', '--why'],
  'webhook remove': ['<client>', '<webhook>', '--by', '--why'],
  'webhook test': ['<client>', '<webhook>', '--by', '--why'],
  'webhook deliveries': ['<client>', '<webhook>', '--waiting', '--limit'],
  'webhook replay': ['<client>', '<webhook>', '[event]', '--all', '--by', '--why'],
  'list add': ['<scope>', '--reason'],
  'list remove': ['<scope>'],
  'list show': ['<scope>'],
  'list import': ['<scope>', '<file>', '--hash', '--dry-run'],
  'list export': ['<scope>'],
  suppress: ['<scope>', '<address>', '--reason', '--lift', '--by', '--why'],
  'decision list': ['[client]', '--recipient', '--limit'],
  'decision show': ['<ref>'],
  explain: ['--client', '--campaign', '--from', '--to', '[message]'],
  classify: ['<file...>', '--rules'],
  'reply list': ['[owner]', '--open', '--since', '--limit'],
  'reply show': ['<id>', '--message'],
  'reply decide': ['<id>', '--as', '--by', '--why'],
  'audit show': ['[owner]', '--since', '--limit'],
  'audit verify': ['[owner]'],
  'audit accept': ['<owner>', '--by', '--why'],
  stats: ['--client', '--campaign', '--since'],
  doctor: [],
  demo: ['--keep'],
};

/** Beside those that a named person must always sign. */
const WRITES = [
  'client add',
  'client update',
  'client remove',
  'credential add',
  'credential update',
  'credential disable',
  'credential rotate',
  'campaign add',
  'campaign update',
];
const LISTS = ['list add', 'list remove', 'list import', 'list export', 'list show', 'suppress', 'decision list', 'reply list'];

const site = newSite();
t.teardown(() => site.close());
const shell = startShell(t);

t.test('every command explains itself', async t => {
  const program = theProgram();
  for (const [command, names] of Object.entries(COMMANDS)) {
    const help = helpOf(program, command.split(' '));
    t.match(help, `Usage: postern ${command}`, command);
    for (const name of [...names, '--config', '--json']) t.match(help, name, `${command} names ${name}`);
  }
});

t.test('A18: whatever is written, or leaves the house, may be told who did it and why', async t => {
  const program = theProgram();
  for (const command of [...WRITES, ...LISTS, 'reply decide', 'audit accept']) {
    const help = helpOf(program, command.split(' '));
    for (const name of ['--by <name>', '--why <text>']) t.match(help, name, `${command} ${name}`);
  }
});

t.test('help that was asked for is no error', async t => {
  for (const args of [['--help'], ['list', 'import', '--help'], ['help', 'credential', 'add']]) {
    const { code, stdout, stderr } = await site.cli(...args);
    t.match({ code, stdout, stderr }, { code: 0, stderr: '', stdout: /^Usage: postern/ }, args.join(' '));
  }
  t.match(mustAnswer(await site.cli('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
});

t.test('a slip of the pen: exit code 2, what was wrong and the usage on stderr, nothing on stdout', async t => {
  const table: [string[], RegExp][] = [
    [[], /Usage: postern/],
    [['clients'], /unknown command 'clients'[\s\S]*usage: postern/],
    [['client'], /Usage: postern client/],
    [['client', 'lst'], /unknown command 'lst'[\s\S]*usage: postern client/],
    [['client', 'list', '--all'], /unknown option '--all'[\s\S]*usage: postern client list/],
    [['client', 'show'], /missing required argument 'id'[\s\S]*usage: postern client show/],
    [['client', 'show', 'acme', 'other'], /too many arguments/],
    [['client', 'add', 'acme'], /--name <name>' not specified/],
    [['list', 'import', 'acme'], /missing required argument 'file'/],
    [['explain', '--client', 'acme', '--from', 'a@acme.example'], /--to <address>' not specified/],
    [['list', 'import', 'acme', 'f', '--hash'], /--hash <algorithm>' argument missing/],
    [['client', 'update', 'acme', '--max-rate', 'many'], /must be a whole number/],
  ];
  for (const [args, expected] of table) {
    const { code, stdout, stderr } = await shell.run(args, { cwd: site.dir });
    t.match({ code, stdout, stderr }, { code: 2, stdout: '', stderr: expected }, `postern ${args.join(' ')}`);
  }
});

function helpOf(command: Command, [name, ...rest]: readonly string[]): string {
  if (name === undefined) return command.helpInformation();
  const below = command.commands.find(one => one.name() === name);
  if (below === undefined) throw new Error(`${command.name()} has no ${name}`);
  return helpOf(below, rest);
}
