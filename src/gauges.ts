/** What is measured only when somebody asks: the gate's state at the moment, as gauges on its metrics. */
import type { Clients } from './clients/clients.ts';
import type { Count, Standings } from './hooks/standing.ts';
import { GLOBAL } from './ids.ts';
import type { Journal } from './journal/journal.ts';
import { countOpen, MOST_COUNTED } from './journal/open-reviews.ts';
import { type Pending, waitingSince } from './journal/pending.ts';
import type { Clock } from './ops/clock.ts';
import type { Door, Metrics } from './ops/metrics.ts';
import type { ByteBudget } from './smtp/budget.ts';
import type { Store } from './store/store.ts';

export interface GaugeParts {
  readonly metrics: Metrics;
  readonly store: Store;
  readonly pending: Pick<Pending, 'read'>;
  readonly clients: Pick<Clients, 'list'>;
  readonly journal: Pick<Journal, 'waiting' | 'lost'>;
  readonly standings: Pick<Standings, 'counts'>;
  readonly budgets: Readonly<Record<Door, ByteBudget>>;
  readonly clock: Clock;
}

/** A scan of the store for a gauge is not repeated sooner, however often somebody asks. */
const SCANNED_EVERY_MS = 10_000;

/** Puts the gauges on the metrics, and begins to watch the process. Once a process. */
export function addGauges({ metrics, store, pending, clients, journal, standings, budgets, clock }: GaugeParts): void {
  const octets = (of: (budget: ByteBudget) => number) => () => ({ submission: of(budgets.submission), inbound: of(budgets.inbound) });
  const { used, limit } = { used: octets(budget => budget.used), limit: octets(budget => budget.limit) };
  metrics.byDoor('byte_budget_used_bytes', 'Octets that messages in work hold in memory', used);
  metrics.byDoor('byte_budget_limit_bytes', 'Octets that messages in work may hold in memory', limit);
  metrics.reads('journal_waiting', 'Decisions that are not written yet', 'sum', () => journal.waiting);
  metrics.total('journal_lost_total', 'Decisions dropped because the store stayed away too long', () => journal.lost);
  metrics.reads('store_up', '1 where the store answers, 0 where it does not; of several processes the worst', 'min', () =>
    store.ping().then(
      () => 1,
      () => 0,
    ),
  );
  const oldest = async (): Promise<number> => {
    const since = (await pending.read()).flatMap(source => waitingSince(source) ?? []);
    return since.length === 0 ? 0 : Math.max(0, clock.now() - Math.min(...since)) / 1_000;
  };
  const open = async (): Promise<number> => (await countOpen(store, [GLOBAL, ...(await clients.list()).map(({ id }) => id)])).open;
  metrics.reads(
    'pending_oldest_seconds',
    'Age of the oldest that came back and is not enforced yet; 0 where nothing waits',
    'max',
    seldom(oldest),
  );
  metrics.reads('reviews_open', `Lines of the reply log that wait for a decision; counted up to ${MOST_COUNTED}`, 'max', seldom(open));
  addWebhookGauges(metrics, standings, clock);
  metrics.watchProcess();
}

/** As whoever delivers counted them last. */
function addWebhookGauges(metrics: Metrics, standings: GaugeParts['standings'], clock: Clock): void {
  const counted = seldom(async () => {
    const counts: Count[] = [];
    for await (const [, count] of standings.counts()) counts.push(count);
    return counts;
  });
  const sum = (of: (count: Count) => number) => async () => (await counted()).reduce((total, count) => total + of(count), 0);
  metrics.reads(
    'webhooks_waiting',
    'Events that wait for a webhook',
    'max',
    sum(({ waiting }) => waiting),
  );
  metrics.reads(
    'webhooks_dead',
    'Events for a webhook that were given up and are kept',
    'max',
    sum(({ dead }) => dead),
  );
  metrics.reads(
    'webhooks_oldest_seconds',
    'Age of the oldest event that waits for a webhook that is on; 0 where none does',
    'max',
    async () => {
      const since = (await counted()).flatMap(({ off, oldestAt }) => (off === true || oldestAt === undefined ? [] : [oldestAt]));
      return since.length === 0 ? 0 : Math.max(0, clock.now() - Math.min(...since)) / 1_000;
    },
  );
}

/** The scan, but its last result where that is not old. */
function seldom<T>(scan: () => Promise<T>): () => Promise<T> {
  let known: { readonly at: number; readonly value: Promise<T> } | undefined;
  return () => {
    const at = performance.now();
    if (known === undefined || at - known.at > SCANNED_EVERY_MS) known = { at, value: scan() };
    return known.value;
  };
}
