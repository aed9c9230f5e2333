/** A Dockerfile's steps, run in a scratch folder: enough of the language for one that only copies, runs and sets. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { promisify } from 'node:util';
import { environment } from './command.ts';

export interface Stage {
  readonly name: string;
  /** Stands for the stage's `/`. */
  readonly root: string;
  /** As in the image. */
  workdir: string;
  user: string;
  readonly env: Record<string, string>;
  readonly volumes: string[];
  entrypoint: readonly string[];
  command: readonly string[];
  healthcheck: readonly string[];
}

type Instruction = readonly [name: string, text: string];

export function readDockerfile(file: string): readonly Instruction[] {
  const text = readFileSync(file, 'utf8').replace(/^\s*#.*\n/gm, '');
  return text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => {
      const [, name = '', rest = ''] = /^\s*([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      return [name, rest.trim()];
    });
}

/**
 * Runs the steps stage by stage, `context` being what is built from; gives the last stage. `owner`: stands for any user that a step names.
 * @throws Error of the step that failed, with what it said
 */
export async function runSteps(
  instructions: readonly Instruction[],
  context: string,
  scratch: string,
  owner: { readonly uid: number; readonly gid: number } | undefined,
): Promise<Stage> {
  const stages: Stage[] = [];
  for (const [name, text] of instructions) {
    if (name === 'FROM') {
      const root = join(scratch, `stage${stages.length}`);
      mkdirSync(root);
      const [, as = ''] = /\sAS\s+(\S+)$/i.exec(text) ?? [];
      stages.push({ name: as, root, workdir: '/', user: 'root', env: {}, volumes: [], entrypoint: [], command: [], healthcheck: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`${name} before FROM`);
    if (name === 'COPY') copy(stage, stages, context, text);
    else if (name === 'RUN') await run(stage, text, owner);
    else set(stage, name, text);
  }
  return stages.at(-1) as Stage;
}

/** A path of the image, where it lies here. */
export function here({ root, workdir }: Stage, path: string): string {
  return join(root, posix.resolve(workdir, path));
}

function set(stage: Stage, name: string, text: string): void {
  if (name === 'WORKDIR') {
    stage.workdir = posix.resolve(stage.workdir, text);
    mkdirSync(here(stage, '.'), { recursive: true });
  } else if (name === 'ENV') {
    const [, key = '', value = ''] = /^(\w+)=(\S*)$/.exec(text) ?? [];
    stage.env[key] = value;
  } else if (name === 'USER') stage.user = text;
  else if (name === 'VOLUME') stage.volumes.push(...(JSON.parse(text) as string[]));
  else if (name === 'ENTRYPOINT') stage.entrypoint = JSON.parse(text) as string[];
  else if (name === 'CMD') stage.command = JSON.parse(text) as string[];
  else if (name === 'HEALTHCHECK') stage.healthcheck = JSON.parse(/CMD\s+(\[.*\])$/.exec(text)?.[1] ?? '[]') as string[];
  else if (name !== 'EXPOSE') throw new Error(`no step known as ${name}`);
}

function copy(stage: Stage, stages: readonly Stage[], context: string, text: string): void {
  const words = text.split(/\s+/);
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
  const source = from === undefined ? undefined : stages.find(one => one.name === from);
  if (from !== undefined && source === undefined) throw new Error(`no stage ${from}`);
  const target = words.pop() ?? '';
  for (const word of words) {
    const path = source === undefined ? join(context, word) : here(source, word);
    // A folder's contents go into the target; a file goes into it where it ends in a slash or several are copied.
    const into = !statSync(path).isDirectory() && (target.endsWith('/') || words.length > 1);
    const to = into ? join(here(stage, target), basename(path)) : here(stage, target);
    cpSync(path, to, { recursive: true, verbatimSymlinks: true });
  }
}

async function run(stage: Stage, text: string, owner: { readonly uid: number; readonly gid: number } | undefined): Promise<void> {
  const inRoot = text.replace(/(?<=\s)\/(?=\w)/g, `${stage.root}/`);
  const command =
    owner === undefined ? inRoot.replace(/chown -R \S+/g, 'ls -d') : inRoot.replace(/(chown -R )\S+/g, `$1${owner.uid}:${owner.gid}`);
  const options = { cwd: here(stage, '.'), env: { ...environment(stage.env), npm_config_prefer_offline: 'true' }, maxBuffer: 1 << 26 };
  await promisify(execFile)('sh', ['-ec', command], options);
}
