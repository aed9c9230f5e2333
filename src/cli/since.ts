/** Times as people give them to commands. */
import { usage } from './exit.ts';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export const SINCE = '2026-11-21, 2026-11-21T14:00Z, or 90m, 24h, 7d, 4w ago';

/** The moment that `text` names, in ms since 1970 UTC. @throws CommandFailure (usage) */
export function sinceOf(text: string, now: number): number {
  const ago = /^(\d{1,6})([mhdw])$/.exec(text);
  if (ago !== null) return now - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0);
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw usage(`'${text}' is no time: use ${SINCE}`);
  return at;
}

/** The span that options name; `--since` is an older word for `--from`. @throws CommandFailure (usage) where no moment is in it */
export function spanOf(
  { from, since, to }: { readonly from?: string; readonly since?: string; readonly to?: string },
  now: number,
): { readonly from?: number; readonly to?: number } {
  if (from !== undefined && since !== undefined) throw usage('--from and --since are the same; give one of them');
  const given = from ?? since;
  const span = {
    ...(given === undefined ? {} : { from: sinceOf(given, now) }),
    ...(to === undefined ? {} : { to: sinceOf(to, now) }),
  };
  if (span.from !== undefined && span.to !== undefined && span.from >= span.to)
    throw usage('--to is not after --from; the moment itself does not count, so for one day name the next');
  return span;
}

/** How long ago, in the unit that fits: 90 s, 45 min, 13 h, 4 d. */
export function ageOf(ms: number): string {
  if (ms < 120_000) return `${Math.max(0, Math.round(ms / 1000))} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`;
}
