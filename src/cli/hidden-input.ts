/** Asks at a terminal for what nobody should read over a shoulder: typed without being shown. */
import type { ReadStream } from 'node:tty';
import { usage } from './exit.ts';

const ENTER = /^[\r\n]$/;
const CONTROL_C = '\x03';
const CONTROL_D = '\x04';
const CONTROL_U = '\x15';
const BACKSPACES = ['\x7f', '\b'];
/** What keys such as the arrows send (ECMA-48 §5.4); the rest of the control characters means nothing either. */
const SEQUENCES = /\x1b(\[[0-?]*[ -/]*[@-~]|O?.)/gs;

/**
 * A new password, asked for twice on stderr. @throws CommandFailure (usage) where the two are not the same, or none was typed
 */
export async function askNewPassword(terminal: ReadStream = process.stdin): Promise<string> {
  const keys = keysOf(terminal);
  terminal.setRawMode(true);
  try {
    const password = await typed('password: ', keys);
    const again = await typed('once more: ', keys);
    if (password !== again) throw usage('the two are not the same; nothing was changed');
    return password;
  } finally {
    terminal.setRawMode(false);
    await keys.return(undefined);
  }
}

async function* keysOf(terminal: ReadStream): AsyncGenerator<string, void> {
  terminal.setEncoding('utf8');
  for await (const text of terminal) yield* String(text).replace(SEQUENCES, '');
}

async function typed(question: string, keys: AsyncGenerator<string, void>): Promise<string> {
  process.stderr.write(question);
  let text = '';
  for (;;) {
    const { value: key, done } = await keys.next();
    if (done === true || ENTER.test(key) || key === CONTROL_C || key === CONTROL_D) {
      process.stderr.write('\n');
      if (text !== '' && done !== true && ENTER.test(key)) return text;
      throw usage('no password was typed; nothing was changed');
    }
    if (key === CONTROL_U) text = '';
    else if (BACKSPACES.includes(key)) text = [...text].slice(0, -1).join('');
    else if (key >= ' ') text += key;
  }
}
