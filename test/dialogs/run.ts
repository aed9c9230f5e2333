/**
 * Plays golden wire dialogues, `*.smtp`: what the client says and what the server must answer, word for word.
 *
 *   # a remark
 *   C: EHLO client.example        sent with CRLF; \r \n \0 \\ and \xHH stand for octets
 *   C+ .\r\n                      sent as it is, without CRLF
 *   C: @starttls                  the TLS handshake, after 220;  @base64 TEXT sends TEXT in base64 (\0 allowed);  @close leaves
 *   C: @do stop                   nothing is sent: the action of that name happens, and is waited for
 *   S: 250-gate.example           must be the next line; <…> stands for any text
 *   S: 550 <…> ref=<ref>          <ref> stands for the id of a decision
 *   S: @closed                    the server closes the connection
 *
 * Several C lines before an S line are pipelined: they leave in one write.
 */
import { dial, type SmtpClient } from '../support/smtp-client.ts';

interface Step {
  readonly line: number;
  readonly who: 'C:' | 'C+' | 'S:';
  readonly text: string;
}

/** The steps of a dialogue. @throws Error that names the line that is none. */
export function readDialogue(text: string): readonly Step[] {
  const steps: Step[] = [];
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    if (raw.trim() === '' || raw.startsWith('#')) continue;
    const match = /^(C:|C\+|S:) (.*)$/.exec(raw) ?? /^(C:|S:)()$/.exec(raw);
    if (match === null) throw new Error(`line ${i + 1} is no step: ${raw}`);
    steps.push({ line: i + 1, who: match[1] as Step['who'], text: match[2] ?? '' });
  }
  return steps;
}

export interface PlayOptions {
  readonly tls?: boolean;
  /** What `@do` names. */
  readonly actions?: Readonly<Record<string, () => Promise<unknown>>>;
}

/**
 * Plays one dialogue against a port of this machine. Resolves where it went as written, with every line that the server said.
 * @throws Error that shows line, expectation and answer.
 */
export async function playDialogue(
  text: string,
  port: number,
  { tls = false, actions = {} }: PlayOptions = {},
): Promise<readonly string[]> {
  const client = await dial(port, { tls });
  const heard: string[] = [];
  try {
    let unread: string[] = [];
    let unsent = '';
    const flush = (): void => {
      if (unsent !== '') client.write(Buffer.from(unsent, 'latin1'));
      unsent = '';
    };
    for (const step of readDialogue(text)) {
      if (step.who !== 'S:') {
        if (unread.length > 0) throw new Error(`line ${step.line}: the server also said ${JSON.stringify(unread)}`);
        const handled = await act(client, step, flush, actions);
        if (!handled) unsent += step.who === 'C+' ? octets(step.text) : `${encode(step.text)}\r\n`;
        continue;
      }
      flush();
      if (step.text === '@closed') {
        const rest = [...unread, ...(await client.rest()).split('\r\n')].filter(line => line !== '');
        if (rest.length > 0) throw new Error(`line ${step.line}: before closing the server also said ${JSON.stringify(rest)}`);
        unread = [];
        continue;
      }
      if (unread.length === 0) unread = (await answer(client, step)).split('\r\n');
      const said = unread.shift() ?? '';
      heard.push(said);
      if (!pattern(step.text).test(said)) throw new Error(`line ${step.line}: expected ${step.text}\n  but the server said ${said}`);
    }
    flush();
    if (unread.length > 0) throw new Error(`at the end the server also said ${JSON.stringify(unread)}`);
    return heard;
  } finally {
    client.close();
  }
}

async function act(client: SmtpClient, step: Step, flush: () => void, actions: NonNullable<PlayOptions['actions']>): Promise<boolean> {
  if (step.text.startsWith('@do ')) {
    flush();
    const action = actions[step.text.slice(4)];
    if (action === undefined) throw new Error(`line ${step.line}: no such action`);
    await action();
    return true;
  }
  if (step.text === '@starttls') {
    flush();
    await client.upgrade();
    return true;
  }
  if (step.text !== '@close') return false;
  flush();
  client.close();
  return true;
}

async function answer(client: SmtpClient, step: Step): Promise<string> {
  try {
    return (await client.reply()).text;
  } catch (error) {
    throw new Error(`line ${step.line}: expected ${step.text}\n  but ${error instanceof Error ? error.message : String(error)}`);
  }
}

function encode(text: string): string {
  return text.startsWith('@base64 ') ? Buffer.from(octets(text.slice(8)), 'latin1').toString('base64') : octets(text);
}

/** Escapes resolved, the rest as UTF-8 octets; Latin-1 stands for octets. */
function octets(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/\\(r|n|0|\\|x[0-9a-fA-F]{2})/g, (_all, code: string) => {
      if (code === 'r') return '\r';
      if (code === 'n') return '\n';
      if (code === '0') return '\0';
      return code === '\\' ? '\\' : String.fromCharCode(Number.parseInt(code.slice(1), 16));
    });
}

function pattern(text: string): RegExp {
  const literal = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('<…>', '.*').replaceAll('<ref>', '[0-9a-hjkmnp-tv-z]{16}')}$`);
}
