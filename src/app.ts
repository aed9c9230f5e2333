/** The gate: what mail passes, in either direction, composed on a house. With house.ts the only file that knows all parts. */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { AdminParts } from './admin/app.ts';
import { hasSpoolRoom, processImporter } from './admin/import-process.ts';
import { type RunningAdmin, startAdmin } from './admin/server.ts';
import { addGauges } from './gauges.ts';
import { Deliverer } from './hooks/deliverer.ts';
import { type House, policiesOf, upstreamsOf } from './house.ts';
import { type ClientId, GLOBAL } from './ids.ts';
import { loadClassifier } from './inbound/classify.ts';
import { Destinations } from './inbound/destinations.ts';
import { Forwarding } from './inbound/forward.ts';
import { InboundGate } from './inbound/gate.ts';
import { startMailboxes } from './inbound/mailbox.ts';
import { InboundProcessor } from './inbound/processing.ts';
import { Waiting } from './inbound/waiting.ts';
import { COUNTERS, moveShared } from './journal/counters.ts';
import { INBOUND_LATENCY } from './journal/inbound-latency.ts';
import { Journal } from './journal/journal.ts';
import { ALARM_MS } from './journal/pending.ts';
import { moveOldTallies } from './journal/refused-domains.ts';
import { SoftBounces } from './journal/soft-bounces.ts';
import { isAddress, parsePerson } from './mail/address.ts';
import { parseMessage } from './mail/message.ts';
import { exposition, type Snapshot } from './ops/metrics.ts';
import { type Close, Opened } from './ops/opened.ts';
import { regularly } from './ops/regularly.ts';
import type { CurrentPolicies } from './policy/current.ts';
import { recordPolicies } from './policy/recording.ts';
import type { Upstreams } from './relay/upstreams.ts';
import { ByteBudget } from './smtp/budget.ts';
import { type Listener, startListener } from './smtp/listener.ts';
import { measuredGate } from './smtp/measured.ts';
import { SubmissionGate } from './submission/gate.ts';
import { TrackedLinks } from './watch/tracked-links.ts';

export { ConfigProblems, type House, type HouseOptions, openHouse, policiesOf, readConfig, upstreamsOf } from './house.ts';

/** How long beyond the limit of a stop a message on its way upstream may wait for its reply: longer than a closing upstream takes. */
const VERDICT_MS = 6_000;

export interface RunningGate {
  readonly addresses: Listener['addresses'];
  /** Where mail that comes back is taken; empty where none is. */
  readonly inbound: Listener['addresses'];
  /** Where the admin API is; empty where it is off, or in another process of the same gate. */
  readonly admin: readonly NonNullable<RunningAdmin['address']>[];
  reloadCertificates(): void;
  /** Takes nothing new, lets running transactions finish for `submission.stopSeconds`, writes the journal, and hangs up. */
  stop(): Promise<void>;
  /** The journal, for whoever wants to read what was just decided. */
  readonly journal: Journal;
}

export interface GateOptions {
  /** Whether the admin API runs in this process. */
  readonly admin?: boolean;
  /** The metrics of all processes of this gate; by default this one is alone. */
  readonly snapshots?: () => Promise<readonly Snapshot[]>;
}

/**
 * Opens the gate; where something cannot be opened, all that was is closed again.
 * @throws Error naming the configuration key of an address, certificate or upstream that is not usable
 */
export async function startGate(house: House, options: GateOptions = {}): Promise<RunningGate> {
  const opened = new Opened();
  try {
    return await openGate(house, options, opened);
  } catch (error) {
    await opened.close(0).catch(err => house.log.error({ err }, 'what was opened before the failure could not be closed'));
    throw error;
  }
}

async function openGate(house: House, { admin: withAdmin = true, snapshots }: GateOptions, opened: Opened): Promise<RunningGate> {
  const { config, clock, log, baseDir, clients } = house;
  const { submission } = config;
  const { metrics } = house;
  const journal = new Journal(house.journalParts, metrics);
  opened.keep(() => journal.close());
  const tracked = new TrackedLinks({ store: house.store, clock, log, alarm: alarm => house.metrics.alarms.inc({ alarm }) });
  opened.keep(() => tracked.close());
  const policies = policiesOf(house, tracked);
  const recording = await recordPolicies(house.policyBook, log);
  opened.keep(() => recording.stop());
  await policies.prepare();
  const upstreams = upstreamsOf(house);
  let hangingUp: Promise<void> | undefined;
  const hangUp = (): Promise<void> => {
    hangingUp ??= upstreams.close();
    return hangingUp;
  };
  opened.keep(hangUp);
  // Nothing new is taken at any door while others still let running work end.
  const doors: Close[] = [];
  opened.keep(limitMs => Promise.all(doors.map(close => close(limitMs))));
  // What one process may use of a limit that holds for all workers together.
  const share = (limit: number): number => Math.ceil(limit / submission.workers);
  const budgets = { submission: new ByteBudget(share(submission.byteBudget)), inbound: new ByteBudget(share(config.inbound.byteBudget)) };
  addGauges({ ...house, journal, budgets });
  const gate = new SubmissionGate({
    clients,
    policies,
    upstreams,
    journal,
    sends: house.sends,
    tokens: house.tokens,
    hostname: submission.hostname,
    options: submission,
    alerts: house.alerts,
    clock,
    log,
  });
  const listener = await startListener({
    listen: submission.listen,
    hostname: submission.hostname,
    tls: submission.tls,
    baseDir,
    maxMessageBytes: submission.maxMessageBytes,
    maxRecipients: submission.maxRecipients,
    maxSessions: share(submission.maxSessions),
    proxyProtocol: submission.proxyProtocol,
    xclient: submission.xclient,
    budget: budgets.submission,
    gate: measuredGate(gate, 'submission', metrics),
    log,
    clock,
  });
  doors.push(limitMs => listener.stop(limitMs, VERDICT_MS));
  const returns = await startReturns(house, upstreams, budgets.inbound, doors);
  if (withAdmin) {
    const deliverer = startDeliverer(house);
    doors.push(() => deliverer.stop());
  }
  const admin = await startAdminOf(adminPartsOf(house, upstreams, policies, snapshots), withAdmin);
  doors.push(limitMs => admin?.stop(limitMs));
  const watching = regularly(MINUTE_MS, 'watching alarms', log, async () => house.alerts.sweep());
  opened.keep(() => watching.stop());
  return {
    addresses: listener.addresses,
    inbound: returns.addresses,
    admin: admin?.address === undefined ? [] : [admin.address],
    reloadCertificates() {
      listener.reloadCertificates();
      returns.reloadCertificates();
      void admin?.reloadCertificates();
    },
    journal,
    async stop() {
      const limitMs = submission.stopSeconds * 1000;
      // Before the listener gives up: what the upstream does not answer even then is cut, and its sender still told so.
      const late = setTimeout(() => void hangUp(), limitMs);
      await opened.close(limitMs).finally(() => clearTimeout(late));
    },
  };
}

/** Tells platforms what happened; in one process of a gate, and in one gate of a store. */
function startDeliverer(house: House): Deliverer {
  const { clients, config, lists, metrics } = house;
  return new Deliverer({
    ...house,
    options: config.webhooks,
    count: (result, n = 1) => metrics.webhooks.inc({ result }, n),
    async erased(client, recipient) {
      const address = parsePerson(recipient);
      const campaigns = [...((await clients.show(client))?.campaigns.keys() ?? [])];
      const standing = isAddress(address) ? await lists.standing(address, client, campaigns) : [];
      // What cannot be read may be an erasure.
      return standing.some(
        ({ list, acts }) => list === 'suppression' && (acts.length === 0 || acts.some(({ reason }) => reason === 'erasure')),
      );
    },
  });
}

/** Opens the admin API, in one process of a gate: what it counts (failed log-ins) and runs (imports) is that process's. */
async function startAdminOf(parts: AdminParts, wanted: boolean): Promise<RunningAdmin | undefined> {
  return wanted ? startAdmin(parts) : undefined;
}

/** What the admin API stands on. */
export function adminPartsOf(
  house: House,
  upstreams: Upstreams,
  policies: CurrentPolicies,
  snapshots: GateOptions['snapshots'] = async () => [await house.metrics.snapshot()],
): AdminParts {
  const { config } = house;
  return {
    ...house,
    options: config.admin,
    importer: processImporter(house.openedWith),
    hasSpoolRoom,
    upstreams,
    policies,
    campaignHeader: config.submission.campaignHeader,
    metricsFrom: config.metrics.from,
    exposition: async () => exposition(await snapshots()),
  };
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

type Returns = Pick<Listener, 'addresses' | 'reloadCertificates'>;

/** Opens what takes what comes back: listener and mailboxes, and the work that is due now and then; adds what closes them to `doors`. */
async function startReturns(house: House, upstreams: Upstreams, budget: ByteBudget, doors: Close[]): Promise<Returns> {
  const { clients, sends, tokens, pending, store, clock, log, baseDir } = house;
  const { inbound, submission } = house.config;
  const { digests } = house.journalParts;
  const hostname = inbound.hostname ?? submission.hostname;
  const share = (limit: number): number => Math.ceil(limit / submission.workers);
  const destinations = new Destinations({ clients, domains: inbound.domains });
  const classifier = loadClassifier(inbound.rules === undefined ? undefined : resolve(baseDir, inbound.rules));
  // Patterns are compiled when they are first used: not while somebody waits.
  for (const text of ['x', '\u0142']) classifier.classify(parseMessage(Buffer.from(`Subject: ${text}\r\n\r\n${text}\r\n`)));
  const processor = new InboundProcessor({
    ...house,
    digests,
    classifier,
    destinations,
    options: inbound,
    ourNames: [submission.hostname, hostname],
  });
  const loops = {
    mark: (client: ClientId) => tokens.make(client, sends.reserve()),
    isOurs: (mark: string) => tokens.read(mark) !== undefined,
  };
  const waiting = new Waiting(clock);
  const listener = await startListener({
    ...inbound,
    section: 'inbound',
    listen: inbound.listen === 'off' ? [] : inbound.listen,
    hostname,
    tls: inbound.tls.cert === undefined && inbound.tls.key === undefined ? submission.tls : inbound.tls,
    baseDir,
    maxSessions: share(inbound.maxSessions),
    budget,
    gate: measuredGate(
      new InboundGate({
        destinations,
        processor,
        forwarding: new Forwarding({ ...house, upstreams, destinations, loops, hostname }),
        waiting,
        perMinute: share(inbound.rate.perMinute),
        clock,
        log,
      }),
      'inbound',
      house.metrics,
    ),
    withoutAuth: true,
    log,
    clock,
  });
  doors.push(limitMs => listener.stop(limitMs, VERDICT_MS));
  const mailboxes = startMailboxes({
    ...house,
    mailboxes: inbound.mailboxes,
    maxMessageBytes: inbound.maxMessageBytes,
    processor,
    digests,
    replyAddresses: async client => (await clients.profile(client))?.replyAddresses ?? [],
  });
  doors.push(() => mailboxes.stop());
  const source = `smtp ${randomUUID()}`;
  let noted: number | undefined;
  let alarmed = false;
  const noting = regularly(MINUTE_MS, 'noting what waits', log, async () => {
    const oldestAt = waiting.oldest();
    if (oldestAt === undefined && noted === undefined) return;
    await pending.note(source, { oldestAt, unreadableSince: undefined });
    noted = oldestAt;
    const late = oldestAt !== undefined && clock.now() - oldestAt > ALARM_MS;
    if (late && !alarmed) log.error({ alarm: 'pending-12h', source }, 'what came back 12 hours ago is not enforced yet');
    alarmed = late;
  });
  const softBounces = new SoftBounces(store, digests);
  const purging = regularly(HOUR_MS, 'purging sends', log, async () => {
    for (const { id } of await clients.list()) {
      await sends.purge(id, clock.now() - inbound.sendDays * DAY_MS);
      await softBounces.purge(id, clock.now() - inbound.softBounces.days * DAY_MS);
    }
  });
  const tidying = regularly(HOUR_MS, 'moving counters into their days', log, async () => {
    for (const owner of [...(await clients.list()).map(({ id }) => id), GLOBAL] as const) {
      for (const counted of [COUNTERS, INBOUND_LATENCY]) await moveShared(store, owner, counted, clock.now());
      await moveOldTallies(house, owner, clock.now());
    }
  });
  doors.push(() => Promise.all([noting.stop(), purging.stop(), tidying.stop()]));
  return { addresses: listener.addresses, reloadCertificates: () => listener.reloadCertificates() };
}
