/** What came back and how fast it is enforced, as `stats` counts it and `doctor` looks at it (A17). */
import type { House } from '../app.ts';
import type { Span } from '../journal/hours.ts';
import { type InboundLatency, readLatency } from '../journal/inbound-latency.ts';
import { countOpen, type OpenCount } from '../journal/open-reviews.ts';
import { ALARM_MS, type PendingSource, waitingSince } from '../journal/pending.ts';
import type { Owner } from '../journal/pseudonyms.ts';
import { isoTime } from './output.ts';
import { ageOf } from './since.ts';

export interface Waiting {
  /** Where something waits, whose sender or mailbox has waited longest first. */
  readonly sources: readonly { readonly source: string; readonly since: number; readonly unreadable: boolean }[];
  /** Since when the oldest has waited, ms since 1970 UTC. */
  readonly oldestAt: number | undefined;
  /** True where half of the 24 hours are over. */
  readonly alarm: boolean;
}

/** What is not enforced yet, at all ways in. @throws StoreUnavailable */
export async function whatWaits({ pending, clock }: Pick<House, 'pending' | 'clock'>): Promise<Waiting> {
  const sources = (await pending.read())
    .flatMap((state: PendingSource) => {
      const since = waitingSince(state);
      return since === undefined ? [] : [{ source: state.source, since, unreadable: state.unreadableSince !== undefined }];
    })
    .sort((a, b) => a.since - b.since);
  const oldestAt = sources[0]?.since;
  return { sources, oldestAt, alarm: oldestAt !== undefined && clock.now() - oldestAt > ALARM_MS };
}

export interface CameBack {
  readonly waiting: Waiting;
  /** Lines of the reply log that wait for a decision. */
  readonly open: OpenCount;
  /** From receipt to enforced. */
  readonly latency: InboundLatency;
}

/** @throws StoreUnavailable */
export async function whatCameBack(
  house: Pick<House, 'store' | 'pending' | 'clock'>,
  owners: readonly Owner[],
  span: Span,
): Promise<CameBack> {
  const [waiting, open, latency] = await Promise.all([
    whatWaits(house),
    countOpen(house.store, owners),
    readLatency(house.store, owners, span),
  ]);
  return { waiting, open, latency };
}

/** The same for a program: times in ISO 8601, durations in ms. */
export function asJson({ waiting, open, latency: { count, p50, p99 } }: CameBack): object {
  return {
    open: open.open,
    openMore: open.more,
    pending: {
      ...(waiting.oldestAt === undefined ? {} : { oldestAt: isoTime(waiting.oldestAt) }),
      alarm: waiting.alarm,
      sources: waiting.sources.map(({ source, since, unreadable }) => ({ source, since: isoTime(since), unreadable })),
    },
    latency: { count, ...(p50 === undefined ? {} : { p50Ms: p50 }), ...(p99 === undefined ? {} : { p99Ms: p99 }) },
  };
}

/** Sentences for people. */
export function asLines({ waiting, open, latency }: CameBack, now: number): readonly string[] {
  const { count, p50, p99 } = latency;
  return [
    ...(count === 0 ? [] : [`from receipt to enforced: half within ${p50} ms, 99 % within ${p99} ms (${count} messages)`]),
    ...(open.open === 0 ? [] : [`${open.open}${open.more ? ' and more' : ''} in doubt: postern reply list <client> --open shows them`]),
    ...describeWaiting(waiting, now),
  ];
}

export function describeWaiting({ sources, alarm }: Waiting, now: number): readonly string[] {
  const [oldest] = sources;
  if (oldest === undefined) return [];
  const what = oldest.unreadable ? 'cannot be read' : 'holds something that is not enforced';
  return [`${alarm ? 'ALARM: ' : ''}${oldest.source} ${what} since ${isoTime(oldest.since)} (${ageOf(now - oldest.since)})`];
}
