/** Recognises: request. */
import type { Classify } from '../finding.ts';

export function loadRequest(_folder?: string): Classify {
  return () => undefined;
}
