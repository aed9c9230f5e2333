/** Metrics: one registry with everything that is counted, made once and passed in; no label ever names an address or a recipient (law 7). */
import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';
import type { MetricsOptions } from './options.ts';

/** Which of the two listeners. */
export type Door = 'submission' | 'inbound';

/** How a question ended: 2xx or 3xx, 4xx, 5xx, or no answer at all. */
export type Result = 'accepted' | 'deferred' | 'rejected' | 'lost';

export type Snapshot = MetricObjectWithValues<MetricValue<string>>[];

/** Answers within one machine, in seconds. */
const QUICK = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
/** What an upstream or a whole message takes. */
const UNHURRIED = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];
/** From receipt to enforced: 250 ms to the 24 hours that are promised (A17). */
const PROMISED = [0.25, 1, 5, 30, 300, 3_600, 6 * 3_600, 12 * 3_600, 24 * 3_600];

/** Every `alarm` that the log may have. */
export const ALARMS = [
  ...['refusals', 'list-probing', 'mass-export', 'failed-logins', 'failed-logins-everywhere', 'failed-logins-account', 'wrong-codes'],
  ...['inbound-rate', 'pending-12h', 'mailbox-unreadable', 'forward-loop', 'forward-refused', 'tracked-link-elsewhere'],
  ...['webhook-off', 'webhook-overflow'],
] as const;

/** What one process counts. Counting never waits and never throws for a value; reading asks what is only known at the moment. */
export class Metrics {
  readonly registry = new Registry();
  readonly #perClient: boolean;
  readonly #registers = [this.registry];

  readonly decisions: Counter;
  readonly rcpt = this.#histogram('rcpt_seconds', 'From RCPT to its reply', QUICK, ['door']);
  readonly message = this.#histogram('message_seconds', 'From the final dot to its reply', UNHURRIED, ['door', 'result']);
  readonly upstream = this.#histogram(
    'upstream_seconds',
    'One transaction with an upstream, from taking a connection to its last reply',
    UNHURRIED,
    ['result'],
  );
  readonly logins = this.#counter('logins_total', 'SMTP logins by result', ['result']);
  readonly sessions = this.#gauge('sessions', 'SMTP sessions open now', ['door']);
  readonly sessionsBegun = this.#counter('sessions_total', 'SMTP sessions begun', ['door']);
  readonly store = this.#histogram('store_seconds', 'One question to the store', QUICK, ['operation']);
  readonly storeFailures = this.#counter('store_failures_total', 'Questions that the store did not answer', ['operation']);
  readonly inbound = this.#counter('inbound_total', 'Messages that came back, by what they were taken for', ['kind']);
  readonly enforced = this.#histogram(
    'inbound_enforced_seconds',
    'From the receipt of what came back to what follows being enforced',
    PROMISED,
  );
  readonly alarms = this.#counter('alarms_total', 'Alarms raised', ['alarm']);
  readonly webhooks = this.#counter(
    'webhooks_total',
    'Attempts to tell a platform of an event; dead: the last one failed; dropped: not told, because too many wait',
    ['result'],
  );
  readonly adminRequests = this.#counter('admin_requests_total', 'Requests to the admin API', ['method', 'route', 'status']);
  readonly adminSeconds = this.#histogram('admin_request_seconds', 'One request to the admin API', UNHURRIED, ['method']);

  /** `perClient`: decisions carry their client's id. Clients are few but for a fleet of thousands, and their names are nobody's business who reads graphs. */
  constructor({ perClient }: Pick<MetricsOptions, 'perClient'>) {
    this.#perClient = perClient;
    this.decisions = this.#counter('decisions_total', 'Recipients by what was decided about them', [
      'outcome',
      'check',
      'token',
      ...(perClient ? ['client'] : []),
    ]);
    // A rule that compares with an hour ago must find what has not happened yet: to Prometheus a series that begins at 1 has not grown.
    if (!perClient) {
      for (const outcome of ['relayed', 'rejected', 'deferred']) this.decisions.inc({ outcome, check: '', token: '' }, 0);
      this.decisions.inc({ outcome: 'unknown', check: 'upstream', token: 'unknown' }, 0);
    }
    for (const alarm of ALARMS) this.alarms.inc({ alarm }, 0);
    for (const result of ['dead', 'dropped']) this.webhooks.inc({ result }, 0);
  }

  /** Counts recipients that something was decided about. */
  decided({ client, outcome, check, token }: Readonly<Record<'client' | 'outcome' | 'check' | 'token', string>>, n: number): void {
    this.decisions.inc(this.#perClient ? { outcome, check, token, client } : { outcome, check, token }, n);
  }

  /**
   * A value that is read when somebody asks; where `read` fails, there is none. `together`: what becomes of several processes' values.
   */
  reads(name: string, help: string, together: 'sum' | 'max' | 'min', read: () => number | Promise<number>): void {
    const gauge: Gauge = new Gauge({
      name: `postern_${name}`,
      help,
      registers: this.#registers,
      aggregator: together,
      async collect() {
        try {
          gauge.set(await read());
        } catch {
          gauge.remove();
        }
      },
    });
  }

  /** The same for each listener, several processes' added up. */
  byDoor(name: string, help: string, read: () => Readonly<Record<Door, number>>): void {
    const gauge: Gauge = new Gauge({
      name: `postern_${name}`,
      help,
      labelNames: ['door'],
      registers: this.#registers,
      collect() {
        for (const [door, value] of Object.entries(read())) gauge.set({ door }, value);
      },
    });
  }

  /** A total that somebody else counts. */
  total(name: string, help: string, read: () => number): void {
    const counter: Counter = new Counter({
      name: `postern_${name}`,
      help,
      registers: this.#registers,
      collect() {
        counter.reset();
        counter.inc(read());
      },
    });
  }

  /** Begins to watch this process itself: CPU, memory, event loop. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.registry, prefix: 'postern_' });
  }

  /** This process's metrics, to be put together with others'; may travel as JSON. */
  snapshot(): Promise<Snapshot> {
    return this.registry.getMetricsAsJSON();
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `postern_${name}`, help, labelNames, registers: this.#registers });
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name: `postern_${name}`, help, labelNames, registers: this.#registers });
  }

  #histogram(name: string, help: string, buckets: number[], labelNames: string[] = []): Histogram {
    return new Histogram({ name: `postern_${name}`, help, buckets, labelNames, registers: this.#registers });
  }
}

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** The text format of several processes' snapshots put together: counters and histograms added up, gauges as each says. */
export function exposition(snapshots: readonly Snapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate([...snapshots]).metrics();
}

/** Seconds since `from`, a reading of performance.now(). */
export function secondsSince(from: number): number {
  return (performance.now() - from) / 1_000;
}

export function resultOf(code: number): Result {
  return code >= 500 ? 'rejected' : code >= 400 ? 'deferred' : 'accepted';
}
