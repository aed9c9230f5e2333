/** The words that decisions can be asked by: every check and token there is, those of the gate and the upstream included. */
import type { CampaignId, ClientId } from '../ids.ts';
import type { Decisions } from '../journal/decisions.ts';
import { UNAVAILABLE } from '../policy/policy.ts';
import { registry } from './index.ts';

/** What refuses beside the checks, and with which tokens. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  gate: ['ambiguous', 'campaign', 'disabled', 'held', 'loop'],
  upstream: ['upstream', 'unknown'],
};

const CHECKS: readonly string[] = [...registry.map(({ name }) => name), ...Object.keys(BESIDE)];
const TOKENS: readonly string[] = [
  ...new Set([...registry.flatMap(({ tokens }) => tokens.map(({ token }) => token)), ...Object.values(BESIDE).flat(), UNAVAILABLE]),
];

/** Campaigns that are named to whoever asks for one that is not there. */
const TOLD = 50;

export interface Words {
  readonly campaign?: string | undefined;
  readonly check?: string | undefined;
  readonly token?: string | undefined;
}

/** Whose decisions are asked for. */
interface Owner {
  readonly id: ClientId;
  readonly campaigns: ReadonlyMap<CampaignId, unknown>;
}

export interface UnknownWord {
  readonly field: keyof Words;
  readonly message: string;
  readonly fix: string;
}

/**
 * The words that no decision of these clients can have: asked by them the answer is empty, and whoever slipped would believe that nobody
 * was refused. What older software wrote, and is still on record, can be asked for. @throws StoreUnavailable
 */
export async function unknownWords(
  { campaign, check, token }: Words,
  owners: readonly Owner[],
  decisions: Pick<Decisions, 'labels'>,
): Promise<readonly UnknownWord[]> {
  const wrong: UnknownWord[] = [];
  const campaigns = new Set<string>(owners.flatMap(owner => [...owner.campaigns.keys()]));
  if (campaign !== undefined && !campaigns.has(campaign)) {
    // None is ever removed, so what is not there never was.
    const fix = campaigns.size === 0 ? 'leave it out: there is none yet' : `name one of ${[...campaigns].slice(0, TOLD).join(', ')}`;
    wrong.push({ field: 'campaign', message: 'is not registered', fix });
  }
  const ids = owners.map(({ id }) => id);
  for (const [field, word, known] of [['check', check, CHECKS] as const, ['token', token, TOKENS] as const]) {
    if (word === undefined || known.includes(word)) continue;
    if ((await decisions.labels(ids)).some(labels => labels[field] === word)) continue;
    const other = field === 'check' ? 'token' : 'check';
    const swapped = (field === 'check' ? TOKENS : CHECKS).includes(word) ? `ask with ${other}=${word}, or ` : '';
    wrong.push({ field, message: 'is none that there is', fix: `${swapped}name one of ${known.join(', ')}` });
  }
  return wrong;
}
