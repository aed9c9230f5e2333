/** Recognises: unsubscribe. */
import type { Classify } from '../finding.ts';

export const unsubscribe: Classify = () => undefined;
