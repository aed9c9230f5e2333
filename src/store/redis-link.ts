/** The connections to Redis: one for look-ups, one for changes (which may wait for replicas), and the word when they are lost. */
import { Cluster, type CommonRedisOptions, Redis } from 'ioredis';
import type { Link } from './admission.ts';
import { within } from './deadline.ts';
import { assertFit, type Info, parseInfo, replicas } from './redis-guard.ts';
import type { RedisAddress } from './redis-url.ts';
import { StoreUnavailable } from './store.ts';

type Client = Redis | Cluster;
type Argument = string | number | Buffer;

const RETRY_MS = 500;
const CONNECT_MS = 1_000;
/** More time for each argument: an apply of 10,000 changes, which has 40,000, gets a second more than a look-up. */
const ARGUMENT_MS = 0.025;
/** How often a connected Redis is looked at again: its AOF may have been switched off, it may be a replica by now, or have got one. */
const WATCH_MS = 5_000;

/** What these words begin means "not now", not "you asked wrongly". */
const NOT_NOW =
  /\b(READONLY|LOADING|MASTERDOWN|OOM|MISCONF|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|NOREPLICAS|BUSY|NOAUTH|WRONGPASS|NOPERM)\b|max number of clients/;

const COMMON = {
  protocol: 2,
  // Fail at once instead of queueing; answers are bounded by the engine's own deadline, one timer a look-up instead of one a command.
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  connectTimeout: CONNECT_MS,
  // Its timer outlives close() where the connection is refused, and would keep a command from ending.
  disconnectTimeout: 100,
  // A frozen server accepts connections: give it up when it says nothing for this long.
  socketTimeout: 2_000,
  retryStrategy: backOff,
  // A master that was demoted without dropping us.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  disableClientInfo: true,
} satisfies CommonRedisOptions & { disconnectTimeout: number };

function backOff(times: number): number {
  return Math.min(50 * times, RETRY_MS);
}

export class RedisLink implements Link {
  readonly label: string;
  readonly #reads: Client;
  readonly #writes: Client;
  readonly #timeoutMs: number;
  readonly #listeners: (() => void)[] = [];
  readonly #watch: NodeJS.Timeout;
  #trouble = 'no connection';
  /** What each cluster connection knew when it was last found fit. */
  readonly #topologies = new Map<Client, string>();
  #replicated = false;
  #closed = false;

  constructor(address: RedisAddress, timeoutMs: number) {
    this.label = address.label;
    this.#timeoutMs = timeoutMs;
    [this.#reads, this.#writes] = [connect(address), connect(address)];
    for (const client of [this.#reads, this.#writes]) this.#listen(client);
    this.#watch = setInterval(() => void this.#look(), WATCH_MS);
    this.#watch.unref();
  }

  /** Whether every master has a replica that a change can wait for. */
  get replicated(): boolean {
    return this.#replicated;
  }

  onLost(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async guard(): Promise<void> {
    await Promise.all([this.#ready(this.#reads), this.#ready(this.#writes)]);
    for (const client of [this.#reads, this.#writes]) if (client instanceof Cluster) await this.#learnTopology(client);
    await this.#judge();
  }

  /** The masters' INFO. */
  async info(): Promise<readonly Info[]> {
    return Promise.all(this.masters('reads').map(async master => parseInfo(String(await this.ask(master, 'info', [])))));
  }

  masters(of: 'reads' | 'writes'): readonly Redis[] {
    const client = of === 'reads' ? this.#reads : this.#writes;
    return client instanceof Cluster ? client.nodes('master') : [client];
  }

  read(command: string, args: readonly Argument[]): Promise<unknown> {
    return this.ask(this.#reads, command, args);
  }

  write(command: string, args: readonly Argument[]): Promise<unknown> {
    return this.ask(this.#writes, command, args);
  }

  /** Sends one command; bulk replies come as Buffers. @throws StoreUnavailable; anything else is a programming error. */
  async ask(client: Client, command: string, args: readonly Argument[]): Promise<unknown> {
    try {
      return await within(Math.ceil(this.#timeoutMs + args.length * ARGUMENT_MS), client.callBuffer(command, [...args]));
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      throw this.#fault(command, error);
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#watch);
    for (const client of [this.#reads, this.#writes]) client.disconnect();
  }

  #listen(client: Client): void {
    client.on('error', (error: Error) => {
      this.#trouble = error.message;
    });
    client.on('close', () => this.#lost());
    // A Sentinel's word of a failover that comes while ioredis is connecting makes it give up for good.
    client.on('end', () => void setTimeout(() => this.#revive(client), RETRY_MS).unref());
    if (!(client instanceof Cluster)) return;
    client.on('node error', (error: Error) => {
      this.#trouble = error.message;
    });
    client.on('-node', () => this.#lost());
    client.on('refresh', () => {
      const known = this.#topologies.get(client);
      if (known !== undefined && known !== topology(client)) this.#lost();
    });
  }

  #lost(): void {
    this.#topologies.clear();
    for (const listener of this.#listeners) listener();
  }

  #revive(client: Client): void {
    if (this.#closed || client.status !== 'end') return;
    client.connect().catch(() => undefined); // told by the client's own events
  }

  async #ready(client: Client): Promise<void> {
    if (client.status === 'ready') return;
    let ready: (() => void) | undefined;
    const event = new Promise<void>(resolve => {
      ready = resolve;
      client.once('ready', resolve);
    });
    try {
      await within(CONNECT_MS, event);
    } catch {
      throw new StoreUnavailable(`Redis does not answer: ${this.#trouble}`);
    } finally {
      if (ready) client.off('ready', ready);
    }
  }

  /** After a failover the other replies may come from a master that never had our last second, so the map of slots is pinned. */
  async #learnTopology(client: Cluster): Promise<void> {
    const refreshed = new Promise<void>((resolve, reject) => client.refreshSlotsCache(error => (error ? reject(error) : resolve())));
    await within(CONNECT_MS, refreshed).catch(error => {
      throw new StoreUnavailable(`The Redis Cluster does not answer: ${messageOf(error)}`);
    });
    const state = String(await this.ask(client, 'cluster', ['info']));
    if (!/cluster_state:ok/.test(state)) throw new StoreUnavailable('The Redis Cluster is not complete (cluster_state is not ok)');
    this.#topologies.set(client, topology(client));
  }

  async #judge(): Promise<void> {
    const infos = await this.info();
    if (infos.length === 0) throw new StoreUnavailable('The Redis Cluster has no master');
    for (const info of infos) assertFit(info);
    const writers = await Promise.all(
      this.masters('writes').map(async master => parseInfo(String(await this.ask(master, 'info', ['server'])))),
    );
    const known = new Set(infos.map(info => info.get('run_id')));
    if (writers.some(info => !known.has(info.get('run_id')))) throw new StoreUnavailable('The connections lead to different masters');
    this.#replicated = infos.every(info => replicas(info) > 0);
  }

  async #look(): Promise<void> {
    if (this.#reads.status !== 'ready' || this.#writes.status !== 'ready') return;
    await this.#judge().catch(() => this.#lost());
  }

  /** An error without what ioredis hangs on it: the command's arguments, which are keys and values. */
  #fault(command: string, error: unknown): Error {
    if (error instanceof TypeError || error instanceof RangeError) return error;
    // A cluster connection that follows no redirection wraps every error that way.
    const wrapped = /^Too many Cluster redirections\. Last error: (\w+): (.*)$/s.exec(messageOf(error));
    const [name, said] = wrapped ? [wrapped[1], wrapped[2] ?? ''] : [error instanceof Error ? error.name : '', messageOf(error)];
    if (/^(MOVED|ASK) /.test(said)) this.#lost();
    const text = `Redis, ${command}: ${said.replace(/, with args beginning with.*/s, '')}`;
    const refused = name === 'ReplyError' && !NOT_NOW.test(said);
    return refused ? new Error(text) : new StoreUnavailable(text);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Which master serves which slots, as text. */
function topology(client: Cluster): string {
  const runs: string[] = [];
  for (const [slot, nodes] of client.slots.entries()) {
    const master = nodes?.[0] ?? '';
    if (slot === 0 || master !== client.slots[slot - 1]?.[0]) runs.push(`${slot}=${master}`);
  }
  return runs.join(' ');
}

function connect(address: RedisAddress): Client {
  const login = {
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.tls ? { tls: {} } : {}),
  };
  const hosts = [...address.hosts];
  if (address.form === 'cluster') {
    const { retryStrategy: _nodesAreRetriedByTheCluster, enableOfflineQueue: _byTheClusterToo, ...node } = COMMON;
    return new Cluster(hosts, {
      enableOfflineQueue: false,
      scaleReads: 'master',
      // No redirection and no second try: a cluster that changed is looked at anew and admitted again before it is believed.
      maxRedirections: 0,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      clusterRetryStrategy: backOff,
      redisOptions: { ...node, ...login },
    });
  }
  if (address.form === 'sentinel') {
    return new Redis({
      ...COMMON,
      ...login,
      db: address.db,
      sentinels: hosts,
      name: address.master,
      role: 'master',
      failoverDetector: true,
      sentinelRetryStrategy: backOff,
      ...(address.sentinelPassword === undefined ? {} : { sentinelPassword: address.sentinelPassword }),
      ...(address.tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
    });
  }
  return new Redis({ ...COMMON, ...login, db: address.db, ...hosts[0] });
}
