/** Recognises: bounce. */
import type { Classify } from '../finding.ts';

export function loadBounce(_folder?: string): Classify {
  return () => undefined;
}
