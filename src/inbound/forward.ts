/**
 * Hands on what was applied: a copy of a reply to the client's own mailbox, a bounce to the platform's reverse-path. The objection is kept
 * by then, so nothing that goes wrong here may undo or bounce it: deferred is deferred, refused is kept, with an alarm.
 */
import { randomUUID } from 'node:crypto';
import type { Clients } from '../clients/clients.ts';
import { type ClientId, GLOBAL } from '../ids.ts';
import type { StoredReplies } from '../journal/replies.ts';
import { type Address, isAddress, parsePerson } from '../mail/address.ts';
import type { Message } from '../mail/message.ts';
import { receivedField } from '../mail/received.ts';
import { isAccepted, isDeferred } from '../mail/reply.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import { type Upstream, UpstreamUnavailable } from '../relay/upstream.ts';
import type { Upstreams } from '../relay/upstreams.ts';
import type { MailParameters, Peer } from '../smtp/gate.ts';
import type { Destinations } from './destinations.ts';
import type { Processed } from './processor.ts';

export interface ForwardParts {
  readonly clients: Pick<Clients, 'profile'>;
  readonly upstreams: Pick<Upstreams, 'for'>;
  readonly destinations: Destinations;
  readonly replies: Pick<StoredReplies, 'noteForwarded' | 'keep'>;
  /** A mark of ours, which nobody else can make. */
  readonly loops: { mark(client: ClientId): string; isOurs(mark: string): boolean };
  readonly hostname: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A message as it came by SMTP. */
export interface Delivered {
  readonly message: Message;
  readonly peer: Peer;
  readonly parameters: MailParameters;
}

const LOOP = 'X-Postern-Loop';

export class Forwarding {
  readonly #parts: ForwardParts;

  constructor(parts: ForwardParts) {
    this.#parts = parts;
  }

  /** `deferred`: not handed on, and not noted as settled: let it come again. @throws StoreUnavailable */
  async handOn(delivered: Delivered, processed: Processed): Promise<'settled' | 'deferred'> {
    const { passOnTo, forwardFor, logged } = processed;
    const place = logged.find(({ owner }) => owner === forwardFor) ?? logged.find(({ owner }) => owner !== GLOBAL);
    const client = forwardFor ?? place?.owner;
    if (place === undefined || client === undefined || client === GLOBAL || (passOnTo === undefined && forwardFor === undefined)) {
      return 'settled';
    }
    const profile = await this.#parts.clients.profile(client);
    const recipients = [passOnTo, forwardFor === undefined ? undefined : addressOf(profile?.forwardTo)].filter(to => to !== undefined);
    const outcomes = new Set<'done' | 'refused' | 'deferred'>();
    for (const to of recipients) {
      if (await this.#mayGo(delivered.message, to, client)) outcomes.add(await this.#relay(delivered, to, client, profile?.upstream));
    }
    if (outcomes.has('deferred')) return 'deferred';
    if (outcomes.has('refused')) await this.#parts.replies.keep(place, delivered.message.octets);
    if (outcomes.size > 0) await this.#parts.replies.noteForwarded(place, outcomes.has('refused') ? 'refused' : 'done');
    return 'settled';
  }

  /** Not in circles: what we handed on before, and what would come straight back to us, stays here. It is applied and logged all the same. */
  async #mayGo(message: Message, to: Address, client: ClientId): Promise<boolean> {
    const { destinations, loops, log } = this.#parts;
    const marked = message.all(LOOP.toLowerCase()).some(mark => loops.isOurs(mark.trim()));
    if (!marked && (await destinations.of(to)) === undefined) return true;
    log.error(
      { alarm: 'forward-loop', client },
      'a reply would come back to this gate and is not forwarded: name another mailbox (client update --forward-to)',
    );
    return false;
  }

  async #relay(
    { message, peer, parameters }: Delivered,
    to: Address,
    client: ClientId,
    url: string | undefined,
  ): Promise<'done' | 'deferred' | 'refused'> {
    const { upstreams, hostname, clock, log, loops } = this.#parts;
    const { helo, remoteAddress, protocol } = peer;
    const received = receivedField({ by: hostname, helo, remoteAddress, protocol, id: randomUUID(), at: clock.now() });
    const added = [received, Buffer.from(`${LOOP}: ${loops.mark(client)}\r\n`)];
    // The null reverse-path: the original one would fail SPF at the next hop, and a bounce or vacation notice about a copy must never reach
    // the person who objected (RFC 5321 §4.5.5 asks the same of every notification); what the upstream refuses we hear ourselves.
    const envelope = { reversePath: null, recipients: [to], utf8: parameters.utf8 || to.utf8, body: parameters.body };
    try {
      const upstream: Upstream = upstreams.for(url);
      const { stage, reply } = await upstream.relay(envelope, [...added, message.octets]);
      if (stage === 'done' && isAccepted(reply)) return 'done';
      if (isDeferred(reply)) return 'deferred';
      log.error(
        { alarm: 'forward-refused', client, code: reply.code, status: reply.status },
        'a reply was applied, but its forwarding was refused: it is kept (reply show)',
      );
      return 'refused';
    } catch (error) {
      if (!(error instanceof UpstreamUnavailable)) throw error;
      log.warn({ err: error, client }, 'a reply was applied and waits to be forwarded: the upstream gave no answer');
      return 'deferred';
    }
  }
}

function addressOf(text: string | undefined): Address | undefined {
  const parsed = text === undefined ? undefined : parsePerson(text);
  return parsed !== undefined && isAddress(parsed) ? parsed : undefined;
}
