/** Whether this gate could pass mail now: store, ledger, keys and upstream, each asked for real. */
import { setTimeout as sleep } from 'node:timers/promises';
import { GLOBAL } from '../ids.ts';
import type { Vault } from '../keys/vault.ts';
import type { Ledger } from '../lists/ledger.ts';
import type { Upstreams } from '../relay/upstreams.ts';
import type { Store } from '../store/store.ts';

export const PARTS = ['store', 'ledger', 'keys', 'upstream'] as const;
export type Part = (typeof PARTS)[number];
/** Why a part does not work stands in the log: here anybody may ask. */
export type Readiness = Readonly<Record<Part, 'ok' | 'failing'>>;

export interface ReadinessParts {
  readonly store: Pick<Store, 'ping'>;
  readonly ledger: Pick<Ledger, 'exists'>;
  readonly vault: Pick<Vault, 'sealer'>;
  readonly upstreams: Pick<Upstreams, 'verify'>;
}

/** Balancers ask every few seconds, and each look at the upstream is a connection of its own. */
const UPSTREAM_EVERY_MS = 10_000;
/** Longest wait for one part, in milliseconds. */
const PATIENCE_MS = 3_000;

export class ReadinessProbe {
  readonly #parts: ReadinessParts;
  #upstream: { readonly at: number; readonly state: Promise<boolean> } | undefined;

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
  }

  /** Never rejects. The upstream's state may be ten seconds old. */
  async ask(): Promise<Readiness> {
    const { store, ledger, vault } = this.#parts;
    const states = await Promise.all([
      answers(store.ping().then(() => true)),
      answers(ledger.exists()),
      answers(vault.sealer(GLOBAL).then(() => true)),
      this.#upstreamAnswers(),
    ]);
    return Object.fromEntries(PARTS.map((part, i) => [part, states[i] === true ? 'ok' : 'failing'])) as Readiness;
  }

  #upstreamAnswers(): Promise<boolean> {
    const at = performance.now();
    if (this.#upstream === undefined || at - this.#upstream.at > UPSTREAM_EVERY_MS) {
      this.#upstream = { at, state: answers(this.#parts.upstreams.verify().then(() => true)) };
    }
    return this.#upstream.state;
  }
}

/** False where it says so, fails, or takes too long. */
function answers(asked: Promise<boolean>): Promise<boolean> {
  return Promise.race([asked.catch(() => false), sleep(PATIENCE_MS, false, { ref: false })]);
}
