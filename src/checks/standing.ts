/** What exclusion and suppression share: one look-up for both, which entries count, and how a listing is told to the operator. */
import { Type } from 'typebox';
import { type Act, type Hit, REASONS, type Reason, type Standing } from '../lists/standing.ts';
import type { Address } from '../mail/address.ts';
import type { Submission } from '../policy/check.ts';

/** Answers what the lists say of a recipient. @throws StoreUnavailable */
export type AskStanding = (rcpt: Address, submission: Submission) => Promise<Standing>;

export interface StandingNeeds {
  readonly standing: AskStanding;
}

export interface StandingOptions {
  readonly reasons: readonly Reason[];
}

/** Not for configurations: both checks are always enforced, so policy/settings.ts lets none of their options be changed. */
export const standingOptions = Type.Object(
  {
    reasons: Type.Array(Type.Enum([...REASONS]), {
      description: 'which reasons of an entry count; set by the built-in policies only',
      default: [...REASONS],
    }),
  },
  { additionalProperties: false },
);

export const standingDefaults: StandingOptions = { reasons: REASONS };

/** Whether an entry of the list counts: one act for one of the reasons is enough, and so is an entry that nobody can read. */
export function counting(counted: Hit['list'], { reasons }: StandingOptions): (hit: Hit) => boolean {
  return ({ list, acts }) => list === counted && (acts.length === 0 || acts.some(({ reason }) => reasons.includes(reason)));
}

/** The lists, as far as these checks need them. */
export interface StandingSource {
  standing(address: Address, client: Submission['client'], campaigns: Submission['campaigns']): Promise<Standing>;
}

/**
 * One round trip for all who ask about the same recipient of the same submission in one go, as a policy does. The answer is
 * forgotten before anything else runs, because "not listed" is never cached (law 4).
 */
export function sharedStanding(lists: StandingSource): AskStanding {
  let asked: { readonly rcpt: Address; readonly submission: Submission; readonly answer: Promise<Standing> } | undefined;
  const forget = () => {
    asked = undefined;
  };
  return (rcpt, submission) => {
    if (asked?.rcpt === rcpt && asked.submission === submission) return asked.answer;
    // A timer would outlive the asking; a microtask runs as soon as the policy has started its last check.
    if (asked === undefined) queueMicrotask(forget);
    const answer = lists.standing(rcpt, submission.client, submission.campaigns);
    asked = { rcpt, submission, answer };
    return answer;
  };
}

/** What the operator is told of the entries: what matched, in which scope, why, from where and when; never an address. */
export function describeHits(hits: readonly Hit[]): string {
  return hits.map(describeHit).join('; ');
}

function describeHit({ list, match, scope, acts }: Hit): string {
  const where = scope.campaign === undefined ? scope.owner : `${scope.owner}/${scope.campaign}`;
  // A value that cannot be opened still counts as listed (DESIGN §5).
  return `${list} of ${where} lists this ${match}: ${describeActs(acts) || 'entry unreadable'}`;
}

function describeActs(acts: readonly Act[]): string {
  return acts.map(({ reason, source, at }) => `${reason} by ${source} at ${new Date(at).toISOString()}`).join(', ');
}

const DESCRIBED = /[a-z-]+ by [a-z]+ at [\dT:.-]{23}Z/.source;
const RUN = new RegExp(`${DESCRIBED}(?:, ${DESCRIBED})*`, 'g');

/** What describeHits told, with each entry's acts as `told` gives them: for whom not all may be told that is on record. */
export function describeAnew(described: string, told: (acts: readonly Act[]) => readonly Act[]): string {
  return described.replace(RUN, run => {
    const acts = run.split(', ').map(act => {
      const [reason, , source, , at] = act.split(' ') as [Act['reason'], string, Act['source'], string, string];
      return { reason, source, at: Date.parse(at) };
    });
    return describeActs(told(acts));
  });
}

/** True where the person behind the entries was erased, or might have been because an entry cannot be read. */
export function mayBeErased(hits: readonly Hit[]): boolean {
  return hits.some(({ list, acts }) => list === 'suppression' && (acts.length === 0 || acts.some(({ reason }) => reason === 'erasure')));
}
