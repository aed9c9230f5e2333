/** The processor: a message that came back is read, told whose it is, understood, and applied before anybody acknowledges it (law 2). */
import { setImmediate } from 'node:timers/promises';
import type { Clients } from '../clients/clients.ts';
import type { ClientId } from '../ids.ts';
import type { StoredReplies } from '../journal/replies.ts';
import { Requests } from '../journal/requests.ts';
import { SoftBounces } from '../journal/soft-bounces.ts';
import type { Digests } from '../keys/digest.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Lists } from '../lists/lists.ts';
import { type Address, isAddress, type PathProblem, parsePerson } from '../mail/address.ts';
import { type Message, parseMessage } from '../mail/message.ts';
import type { Clock } from '../ops/clock.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Store } from '../store/store.ts';
import { type Applied, Applier, type Received } from './apply.ts';
import type { Classifier } from './classify.ts';
import { concernsOf } from './concerns.ts';
import { Correlator, type CorrelatorParts, type Match } from './correlate.ts';
import type { Destinations } from './destinations.ts';
import type { Finding } from './finding.ts';
import { identityOf, messageIdOf } from './identity.ts';
import type { InboundOptions } from './options.ts';
import { registered } from './outcome.ts';
import type { Arrival, Processed, Processor } from './processor.ts';
import { writersOf } from './writers.ts';

export interface ProcessorParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly digests: Digests;
  readonly lists: Pick<Lists, 'enter'>;
  readonly clients: Pick<Clients, 'list' | 'profile'>;
  readonly sends: CorrelatorParts['sends'];
  readonly tokens: CorrelatorParts['tokens'];
  readonly replies: Pick<StoredReplies, 'draft' | 'show'>;
  readonly classifier: Classifier;
  /** Which addresses are ours: they are nobody's who could be listed. */
  readonly destinations: Pick<Destinations, 'of'>;
  readonly options: Pick<InboundOptions, 'tokenDays' | 'softBounces'>;
  /** The names under which this gate sends its own delivery reports. */
  readonly ourNames: readonly string[];
  readonly metrics?: Pick<Metrics, 'inbound' | 'enforced'>;
  readonly clock: Clock;
}

const DAY_MS = 86_400_000;
/** Messages of which it is asked whether they hold a line. */
const MAX_COMPARED = 20;
/** Recipients of one report that count: all are written at once, while others wait. */
const MAX_NAMED = 300;

export class InboundProcessor implements Processor {
  readonly #parts: ProcessorParts;
  readonly #correlator: Correlator;
  readonly #applier: Applier;

  constructor(parts: ProcessorParts) {
    const { store, keyring, digests, options } = parts;
    this.#parts = parts;
    this.#correlator = new Correlator({ ...parts, tokenMs: options.tokenDays * DAY_MS });
    const requests = new Requests(store, keyring);
    this.#applier = new Applier({ ...parts, requests, softBounces: new SoftBounces(store, digests), threshold: options.softBounces });
  }

  async process(arrival: Arrival): Promise<Processed> {
    const { role } = arrival.destination;
    const message = parseMessage(arrival.octets);
    const writers = await this.#foreign(writersOf(message, arrival.reversePath));
    const answered = await this.#correlator.ofMessage(message, arrival, writers);
    const finding = await this.#classify(message, arrival, answered);
    const isReport = finding.kind === 'bounce' || finding.kind === 'complaint';
    const match = isReport ? await this.#correlator.ofReport(answered, finding, arrival) : answered;
    const identity = await identityOf(message, arrival.destination, writers);
    const received = { ...this.#received(message, arrival, finding, match, isReport ? [] : writers), identity };
    const applied: Applied[] = [];
    // One after the other: what a crash leaves undone is done when the message comes again, and nothing of it twice.
    for (const concern of concernsOf(finding, match, writers, role)) applied.push(await this.#applier.apply(concern, received));
    this.#count(finding, arrival, applied);
    return {
      outcome: applied.some(({ outcome }) => outcome === 'applied') ? 'applied' : 'repeated',
      logged: applied.flatMap(({ place }) => place ?? []),
      ...(await this.#owed(arrival, finding, match, applied)),
    };
  }

  #count({ kind }: Finding, { at }: Arrival, applied: readonly Applied[]): void {
    const { metrics, clock } = this.#parts;
    const fresh = applied.filter(({ outcome }) => outcome === 'applied');
    if (fresh.length === 0) return;
    const logged = fresh.some(({ place }) => place !== undefined);
    metrics?.inbound.inc({ kind: logged ? kind : 'unrelated' });
    if (logged) metrics?.enforced.observe(Math.max(0, clock.now() - at) / 1_000);
  }

  async #classify(message: Message, { destination: { role } }: Arrival, { sends }: Match): Promise<Finding> {
    // Each of these takes its time over a long message: others are served in between.
    for (const step of [() => message.structure(), () => message.excerpts()]) {
      await setImmediate();
      step();
    }
    await setImmediate();
    const compared = sends.slice(0, MAX_COMPARED);
    const sent = (line: string, beside?: boolean) => compared.some(send => send.sent(line, beside));
    const finding = this.#parts.classifier.classify(message, { role, sent, ourNames: this.#parts.ourNames });
    const recipients = finding.recipients.slice(0, MAX_NAMED);
    const own = await Promise.all(recipients.map(({ address }) => this.#isOurs(parsePerson(address))));
    return { ...finding, recipients: recipients.filter((_, i) => own[i] === false) };
  }

  #received(message: Message, arrival: Arrival, finding: Finding, match: Match, writers: readonly Address[]): Omit<Received, 'identity'> {
    return {
      messageId: messageIdOf(message),
      kind: finding.kind,
      rule: finding.matched?.rule,
      span: finding.matched?.span,
      language: finding.language,
      text: finding.ownText === '' ? undefined : finding.ownText,
      matchedBy: match.by,
      via: arrival.via,
      receivedAt: arrival.at,
      processedAt: this.#parts.clock.now(),
      writers,
      request: registered(finding, arrival.destination.role),
    };
  }

  /** What is still to be handed on, and to whom. */
  async #owed(
    { via, destination }: Arrival,
    { kind, ours }: Finding,
    { by, sends }: Match,
    applied: readonly Applied[],
  ): Promise<Pick<Processed, 'passOnTo' | 'forwardFor'>> {
    const isBounceOfOurs = destination.role === 'return-path' && kind === 'bounce' && ours !== true && by === 'token';
    const passOnTo =
      isBounceOfOurs && !(await this.#handedOn(applied, sends[0]?.client)) ? parsePerson(sends[0]?.reversePath ?? '') : undefined;
    const { client, role } = destination;
    const mayForward = via === 'smtp' && role === 'reply' && client !== undefined && !(await this.#handedOn(applied, client));
    const forwardTo = mayForward ? (await this.#parts.clients.profile(client))?.forwardTo : undefined;
    return {
      passOnTo: passOnTo !== undefined && isAddress(passOnTo) ? passOnTo : undefined,
      forwardFor: forwardTo === undefined ? undefined : client,
    };
  }

  /** Whether it was handed on, or could not be, when it came before. */
  async #handedOn(applied: readonly Applied[], client: ClientId | undefined): Promise<boolean> {
    const before = applied.find(({ place, outcome }) => place?.owner === client && outcome === 'repeated')?.place;
    if (before === undefined) return false;
    return (await this.#parts.replies.show(before.id, [before.owner]))?.forwarded !== undefined;
  }

  /** Without those that are our own addresses. */
  async #foreign(addresses: readonly Address[]): Promise<readonly Address[]> {
    const own = await Promise.all(addresses.map(address => this.#isOurs(address)));
    return addresses.filter((_, i) => own[i] === false);
  }

  async #isOurs(address: Address | PathProblem): Promise<boolean> {
    return isAddress(address) && (await this.#parts.destinations.of(address)) !== undefined;
  }
}
