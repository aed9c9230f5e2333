/** Whose is it: which client's mail a message that came back is about, and which campaign's. Doubt widens, never narrows (law 6). */
import type { CampaignId, ClientId } from '../ids.ts';
import type { MatchedBy } from '../journal/reply.ts';
import type { Send, Sends } from '../journal/sends.ts';
import { TOKEN_CHARS, type Token, type Tokens } from '../keys/token.ts';
import { type Address, basePerson } from '../mail/address.ts';
import type { Message } from '../mail/message.ts';
import { unwrapped } from '../mail/rewritten.ts';
import type { Finding } from './finding.ts';
import { includes, named, unique } from './persons.ts';
import type { Arrival, Destination } from './processor.ts';

export interface Match {
  readonly by: MatchedBy;
  /** Everyone whom it concerns. Empty: nobody knows. */
  readonly clients: readonly ClientId[];
  /** The messages that it answers or reports. */
  readonly sends: readonly Send[];
}

export interface CorrelatorParts {
  readonly sends: Pick<Sends, 'find' | 'byMessageId' | 'to'>;
  readonly tokens: Pick<Tokens, 'read'>;
  readonly clients: { list(): Promise<readonly { readonly id: ClientId }[]> };
  /** How old a token may be, ms. */
  readonly tokenMs: number;
}

/** What `Sends.to` gives of one client at most: there may be more, of other campaigns. */
const MOST_SENDS = 100;
const MAX_IDS = 50;
const MAX_TOKENS = 10;
/** People of a report whom we are asked to find among all that was sent. */
const MAX_SOUGHT = 10;
const FIELD_CHARACTERS = 4_000;
const TAG = new RegExp(`\\+([a-z2-7]{${TOKEN_CHARS}})@`, 'gi');
/** Where a tagged address of ours may stand that the envelope no longer shows, as in a mailbox. */
const ADDRESSED = ['to', 'cc', 'delivered-to', 'x-original-to', 'envelope-to'];

export class Correlator {
  readonly #parts: CorrelatorParts;

  constructor(parts: CorrelatorParts) {
    this.#parts = parts;
  }

  /** By token, by what it answers, by who wrote it; what the address says at least. @throws StoreUnavailable */
  async ofMessage(message: Message, { destination, at }: Arrival, writers: readonly Address[]): Promise<Match> {
    const here = destination.client === undefined ? [] : [destination.client];
    const byToken = await this.#byTokens(tagsOf(message, destination), here, at);
    if (byToken !== undefined) return byToken;
    const everybody = await this.#everybody();
    // What it answers says more than what that answered, and than whose address it came to: another client may have people answer there.
    for (const field of ['in-reply-to', 'references']) {
      const ids = message.all(field).flatMap(idsIn);
      const sends = await this.#byIds(here, ids);
      const found = sends.length > 0 ? sends : await this.#byIds(everybody, ids);
      if (found.length > 0) return matched('in-reply-to', here, found);
    }
    const sends = await this.#to(here.length > 0 ? here : everybody, writers);
    if (sends.length > 0) return matched('sender', here, sends);
    return { by: here.length > 0 ? 'address' : 'none', clients: here, sends: [] };
  }

  /** The same of a report, which is about whom it names and not about who sent it. @throws StoreUnavailable */
  async ofReport(first: Match, { returned, recipients }: Finding, { destination, at }: Arrival): Promise<Match> {
    if (first.by === 'token') return first;
    const here = destination.client === undefined ? [] : [destination.client];
    const persons = named(recipients);
    const byToken = await this.#byTokens(tagsIn(unwrapped(returned?.reversePath ?? '') ?? ''), here, at);
    if (byToken !== undefined) return byToken;
    const clients = here.length > 0 ? here : await this.#everybody();
    const returnedIds = returned?.messageId === undefined ? [] : idsIn(returned.messageId);
    const byId = first.by === 'in-reply-to' ? first.sends : await this.#byIds(clients, returnedIds);
    if (byId.some(({ recipients }) => recipients.some(person => includes(persons, person)))) return matched('returned-message', here, byId);
    const sends = await this.#to(clients, persons.slice(0, MAX_SOUGHT));
    if (sends.length > 0) return matched('recipient', here, sends);
    // A message of ours, though to nobody whom the report names: what it proves is for a person to tell.
    if (byId.length > 0) return matched('returned-message', here, byId);
    return { by: here.length > 0 ? 'address' : 'none', clients: here, sends: [] };
  }

  async #byTokens(texts: readonly string[], here: readonly ClientId[], at: number): Promise<Match | undefined> {
    const tokens = texts.slice(0, MAX_TOKENS).flatMap(text => this.#parts.tokens.read(text) ?? []);
    if (tokens.length === 0) return undefined;
    const clients = tokens.every(token => here.some(token.isOf)) ? here : await this.#everybody();
    const found: Send[] = [];
    const concerned = new Set(here);
    for (const token of tokens) {
      for (const client of clients.filter(token.isOf)) {
        concerned.add(client);
        // Too old a token says whose mail it was, and no longer whom it was sent to.
        const send = this.#expired(token, at) ? undefined : await this.#parts.sends.find(client, token.send);
        if (send !== undefined) found.push(send);
      }
    }
    return concerned.size === 0 ? undefined : matched('token', [...concerned], found);
  }

  #expired(token: Token, at: number): boolean {
    return at - token.at > this.#parts.tokenMs;
  }

  #byIds(clients: readonly ClientId[], ids: readonly string[]): Promise<readonly Send[]> {
    return ids.length === 0 || clients.length === 0 ? Promise.resolve([]) : this.#parts.sends.byMessageId(clients, ids.slice(-MAX_IDS));
  }

  async #to(clients: readonly ClientId[], persons: readonly Address[]): Promise<readonly Send[]> {
    const sends: Send[] = [];
    for (const person of persons) sends.push(...(await this.#parts.sends.to(clients, person)));
    return sends;
  }

  async #everybody(): Promise<readonly ClientId[]> {
    return (await this.#parts.clients.list()).map(({ id }) => id);
  }
}

/** What may be our tokens: behind the plus of the address that it came to, and of those in its header. Sorted. */
export function tagsOf(message: Message, { token }: Destination): readonly string[] {
  const here = tagsIn(`+${token ?? ''}@`);
  return [...new Set([...here, ...ADDRESSED.flatMap(name => message.all(name)).flatMap(tagsIn)])].sort();
}

/** The campaign that it is certainly about: all of it is one client's and one campaign's. */
export function certainCampaign({ clients, sends }: Match): CampaignId | undefined {
  const [first] = sends;
  if (clients.length !== 1 || sends.length >= MOST_SENDS) return undefined;
  return sends.every(({ campaign }) => campaign === first?.campaign) ? first?.campaign : undefined;
}

/** Whom the client had mailed, where one of these wrote from another address; of several recipients, only the writers' own colleagues. */
export function mailedBeside({ by, sends }: Match, client: ClientId, writers: readonly Address[]): readonly Address[] {
  if (by !== 'token' && by !== 'in-reply-to') return [];
  return unique(
    sends
      .filter(send => send.client === client)
      .flatMap(({ recipients }) => {
        if (recipients.some(person => includes(writers, person))) return [];
        return recipients.length === 1 ? recipients : recipients.filter(({ domain }) => writers.some(writer => writer.domain === domain));
      }),
  );
}

/** Those of the persons to whom the client sent what it is about. */
export function sentTo({ sends }: Match, client: ClientId, persons: readonly Address[]): readonly Address[] {
  const mailed = new Set(sends.flatMap(send => (send.client === client ? send.recipients.map(basePerson) : [])));
  return persons.filter(person => mailed.has(basePerson(person)));
}

/** The one to whom the message was sent whose token it came with; undefined where there were several. */
export function onlyRecipient({ by, sends }: Match, client: ClientId): Address | undefined {
  const mailed = unique(sends.flatMap(send => (send.client === client ? send.recipients : [])));
  return by === 'token' && mailed.length === 1 ? mailed[0] : undefined;
}

function matched(by: MatchedBy, here: readonly ClientId[], sends: readonly Send[]): Match {
  return { by, clients: [...new Set([...here, ...sends.map(({ client }) => client)])], sends };
}

function tagsIn(value: string): readonly string[] {
  return [...value.slice(0, FIELD_CHARACTERS).matchAll(TAG)].map(match => (match[1] as string).toLowerCase());
}

/** RFC 5322 §3.6.4; whatever stands between them. */
function idsIn(value: string): readonly string[] {
  return value.slice(-FIELD_CHARACTERS).match(/<[^<>\s]+>/g) ?? [];
}
