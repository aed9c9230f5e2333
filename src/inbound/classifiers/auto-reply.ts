/** Recognises: auto-reply. */
import type { Classify } from '../finding.ts';

export function loadAutoReply(_folder?: string): Classify {
  return () => undefined;
}
