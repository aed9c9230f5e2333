/** Anchors, and what was accepted as lost: noted where whoever cuts or restores the store does not reach. */
import type { Tail } from './chain.ts';

export interface Anchor {
  readonly count: number;
  readonly link: string;
}

export function anchorLine({ count, link }: Tail): string {
  return `audit ${count} ${link}`;
}

/** The anchor in a noted line; undefined where it holds none, or a crash left only a part. */
export function readAnchor(line: string): Anchor | undefined {
  const [, count, link] = /^audit (\d{1,12}) ([A-Za-z0-9_-]{43})$/.exec(line) ?? [];
  return count === undefined || link === undefined ? undefined : { count: Number(count), link };
}

/** Records `from` to `to`, as they were anchored until then, are lost, and the trail's genuine record `n` with this link says who accepts it. */
export interface Acceptance {
  readonly from: number;
  readonly to: number;
  readonly n: number;
  readonly link: string;
}

/** What the line of an acceptance says was done. */
export const ACCEPT = 'audit.accept';

export function acceptanceLine({ from, to, n, link }: Acceptance): string {
  return `accepted ${from} ${to} ${n} ${link}`;
}

/** The acceptance in a noted line; undefined where it holds none. */
export function readAcceptance(line: string): Acceptance | undefined {
  const [, from, to, n, link] = /^accepted (\d{1,12}) (\d{1,12}) (\d{1,12}) ([A-Za-z0-9_-]{43})$/.exec(line) ?? [];
  return link === undefined ? undefined : { from: Number(from), to: Number(to), n: Number(n), link };
}
