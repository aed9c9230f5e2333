/** What an operator is told when a change of clients, campaigns or credentials is refused: an expected outcome, hence a value. */

export interface Refusal {
  /** `taken`: another client has it. `exists`: this one has. `unknown`: nobody has. `disabled`: it is switched off. `outdated`: it was changed meanwhile. `invalid`: see the texts. */
  readonly problem: 'exists' | 'taken' | 'unknown' | 'disabled' | 'outdated' | 'invalid';
  /** Sentences that name the field and the fix. */
  readonly texts: readonly string[];
}

export function refuse(problem: Refusal['problem'], ...texts: readonly string[]): Refusal {
  return { problem, texts };
}

export function isRefusal(outcome: object): outcome is Refusal {
  return 'problem' in outcome;
}
