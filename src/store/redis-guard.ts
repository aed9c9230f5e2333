/** Whether a Redis may be relied on, and what it could lose: judged from INFO, because CONFIG is often forbidden. */
import { type Finding, StoreRefused, StoreUnavailable } from './store.ts';

export type Info = ReadonlyMap<string, string>;

export function parseInfo(text: string): Info {
  const lines = text.split(/\r?\n/).map(line => [line, line.indexOf(':')] as const);
  return new Map(lines.filter(([, colon]) => colon > 0).map(([line, colon]) => [line.slice(0, colon), line.slice(colon + 1)]));
}

export function replicas(info: Info): number {
  return Number(info.get('connected_slaves') ?? 0);
}

/**
 * @throws StoreRefused for a Redis that may evict keys or keeps nothing: both would turn "listed" into "not listed" silently.
 * @throws StoreUnavailable for one that is not a master (a failover may be under way) or still loading.
 */
export function assertFit(info: Info): void {
  if (info.get('loading') === '1') throw new StoreUnavailable('Redis is still loading its data');
  if (info.get('role') !== 'master') throw new StoreUnavailable('This Redis is a replica: only a master is read');
  const policy = info.get('maxmemory_policy');
  if (policy !== 'noeviction') {
    throw new StoreRefused(`Redis may evict keys (maxmemory-policy ${policy ?? 'unknown'}): set \`maxmemory-policy noeviction\``);
  }
  if (info.get('aof_enabled') !== '1') throw new StoreRefused('Redis keeps nothing across a restart (AOF is off): set `appendonly yes`');
}

/** What `doctor` shows of one master. `fsync` is its appendfsync, undefined where CONFIG is forbidden. */
export function durability(info: Info, fsync: string | undefined): readonly Finding[] {
  const findings: Finding[] = [{ level: 'ok', text: `Redis ${info.get('redis_version') ?? '?'}: master, AOF on, noeviction` }];
  if (fsync === 'always') findings.push({ level: 'ok', text: 'appendfsync always: no acknowledged write is lost by a crash' });
  else if (fsync === 'no')
    findings.push({ level: 'warn', text: 'appendfsync no: a crash may lose about 30 s; set `appendfsync everysec` or `always`' });
  else {
    const said = fsync === undefined ? 'appendfsync unknown (CONFIG is forbidden), presumably everysec' : `appendfsync ${fsync}`;
    findings.push({
      level: 'warn',
      text: `${said}: a crash may lose the last second; objections come back from the ledger, other changes do not`,
    });
  }
  const count = replicas(info);
  if (count === 0) findings.push({ level: 'warn', text: 'no replica: the loss of this machine is the loss of the store' });
  else findings.push({ level: 'ok', text: `${count} replica(s): a write waits up to 100 ms for one; a failover may lose what none had` });
  if (info.get('aof_last_write_status') === 'err')
    findings.push({ level: 'fail', text: 'the last write of the AOF failed: is the disk full?' });
  const used = Number(info.get('used_memory') ?? 0);
  const limit = Number(info.get('maxmemory') ?? 0);
  if (limit > 0 && used > limit * 0.9)
    findings.push({ level: 'warn', text: `${Math.round((used / limit) * 100)} % of maxmemory used: writes fail at 100 %` });
  return findings;
}
