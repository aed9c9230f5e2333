/** Recognises: complaint. */
import type { Classify } from '../finding.ts';

export const complaint: Classify = () => undefined;
