/** Recognises: opt-out. */
import type { Classify } from '../finding.ts';

export function loadOptOut(_folder?: string): Classify {
  return () => undefined;
}
