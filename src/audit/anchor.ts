/** Anchors: how far a trail had come, noted where whoever cuts or restores the store does not reach. */
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
