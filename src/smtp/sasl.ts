/** AUTH PLAIN (RFC 4616) and LOGIN, as an exchange of lines; knows no sockets and asks nobody. */
import type { Reply } from '../mail/reply.ts';
import { utf8 } from './command.ts';
import { BAD_BASE64, CANCELLED, MECHANISM, NO_PROXY_LOGIN } from './replies.ts';

/** What comes next: a challenge to send (base64), the credentials, or the reply that ends it. */
export type Step =
  | { readonly challenge: string; next(line: string): Step }
  | { readonly username: string; readonly password: string }
  | { readonly refusal: Reply };

export const MECHANISMS = ['PLAIN', 'LOGIN'] as const;

/** Begins an exchange. `initial` is the initial response as sent, `=` for an empty one (RFC 4954 §4), undefined for none. */
export function beginSasl(mechanism: string, initial: string | undefined): Step {
  const first = initial === '=' ? '' : initial;
  if (mechanism.toUpperCase() === 'PLAIN') return first === undefined ? ask('', plain) : plain(first);
  if (mechanism.toUpperCase() === 'LOGIN') return first === undefined ? ask('Username:', loginName) : loginName(first);
  return { refusal: MECHANISM };
}

function ask(prompt: string, answer: (line: string) => Step): Step {
  return {
    challenge: Buffer.from(prompt).toString('base64'),
    next: line => (line === '*' ? { refusal: CANCELLED } : answer(line)),
  };
}

function plain(line: string): Step {
  const parts = decode(line)?.split('\0');
  const [identity, username, password] = parts ?? [];
  if (parts?.length !== 3 || !username || password === undefined) return { refusal: BAD_BASE64 };
  // To act for somebody else is not offered; some clients repeat the username here.
  if (identity !== '' && identity !== username) return { refusal: NO_PROXY_LOGIN };
  return { username, password };
}

function loginName(line: string): Step {
  const username = decode(line);
  if (!username || username.includes('\0')) return { refusal: BAD_BASE64 };
  return ask('Password:', answer => {
    const password = decode(answer);
    return password === undefined || password.includes('\0') ? { refusal: BAD_BASE64 } : { username, password };
  });
}

/** Strict: Buffer.from would skip what is no base64, so that two readers could see different credentials. */
function decode(base64: string): string | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) return undefined;
  return utf8(Buffer.from(base64, 'base64').toString('latin1'));
}
