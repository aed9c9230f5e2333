/** The admin API as a shell script sees it: asked with curl, and nothing else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const found = (process.env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, 'curl')));
/** Why curl cannot be run, or false where it can. */
export const noCurl = found ? false : 'curl is not installed';

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** A child process of curl, and what it printed so far. */
export interface Curl {
  readonly child: ChildProcess;
  said(): string;
  /** What it printed, once it is over. Rejects where it failed. */
  readonly ended: Promise<string>;
}

/** Asks the admin API as a shell script would: by one child process of curl for each request. */
export class Script {
  readonly #base: string;
  readonly #token: string;

  constructor(adminPort: number, token: string) {
    this.#base = `http://127.0.0.1:${adminPort}`;
    this.#token = token;
  }

  /** Runs curl on this path. */
  curl(path: string, ...args: readonly string[]): Curl {
    const child = spawn('curl', ['-sS', '-H', `Authorization: Bearer ${this.#token}`, ...args, `${this.#base}${path}`]);
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        printed[name] += text;
      });
    }
    const ended = once(child, 'close').then(([code]) => {
      if (code !== 0) throw new Error(`curl ended with ${code}: ${printed.stderr}`);
      return printed.stdout;
    });
    ended.catch(() => undefined);
    return { child, said: () => printed.stdout, ended };
  }

  /** Fails unless the answer has this status. */
  async ask<T = unknown>(status: number, method: string, path: string, body?: object): Promise<T> {
    const json = body === undefined ? [] : ['-H', 'Content-Type: application/json', '-d', JSON.stringify(body)];
    return answered(status, await this.curl(path, '-X', method, '-w', '\n%{http_code}', ...json).ended) as T;
  }

  /** Every item of a list, page by page. */
  async all<T>(path: string, limit: number): Promise<readonly T[]> {
    const items: T[] = [];
    let cursor = '';
    for (;;) {
      const page = await this.ask<Page<T>>(200, 'GET', `${path}?limit=${limit}${cursor}`);
      items.push(...page.items);
      if (page.next === null) return items;
      cursor = `&cursor=${encodeURIComponent(page.next)}`;
    }
  }
}

/** The JSON in what curl printed with the status on a line of its own at the end; throws where that is another one. */
export function answered(status: number, printed: string): unknown {
  const end = printed.lastIndexOf('\n');
  const [body, told] = [printed.slice(0, end), printed.slice(end + 1)];
  if (told !== String(status)) throw new Error(`${told} instead of ${status}: ${body}`);
  return body === '' ? undefined : JSON.parse(body);
}
