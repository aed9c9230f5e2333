/** Times as people give them to commands. */
import { usage } from './exit.ts';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export const SINCE = '2026-11-21, 2026-11-21T14:00Z, or 90m, 24h, 7d, 4w ago';

/** The moment that --since names, in ms since 1970 UTC. @throws CommandFailure (usage) */
export function sinceOf(text: string, now: number): number {
  const ago = /^(\d{1,6})([mhdw])$/.exec(text);
  if (ago !== null) return now - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0);
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw usage(`--since '${text}' is no time: use ${SINCE}`);
  return at;
}

/** How long ago, in the unit that fits: 90 s, 45 min, 13 h, 4 d. */
export function ageOf(ms: number): string {
  if (ms < 120_000) return `${Math.max(0, Math.round(ms / 1000))} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`;
}
