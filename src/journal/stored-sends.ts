/** Sends as they are kept: a sealed record a message, and two logs that lead to it, by Message-ID and by recipient. */
import { randomInt } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { CampaignId, ClientId } from '../ids.ts';
import { DIGEST_OCTETS, type Digest, type Digests } from '../keys/digest.ts';
import type { Sealer } from '../keys/seal.ts';
import type { Vault } from '../keys/vault.ts';
import { VaultUnavailable } from '../keys/vault-shelf.ts';
import { type Address, isAddress, parseAddress } from '../mail/address.ts';
import { isTelling, spellLine } from '../mail/footer.ts';
import type { Clock } from '../ops/clock.ts';
import { type Change, MAX_CHANGES, type RecordKey, type Store, StoreUnavailable, type Value } from '../store/store.ts';
import type { Send, SendInput, Sends } from './sends.ts';

const LOG = 'sends';
/** `<digest of the Message-ID>-<send>` and `<digest of the person>-<send>`, both in hex, without values. */
const BY_ID = 'sends-by-id';
const TO = 'sends-to';

const TIME_OCTETS = 6;
const CHANCE_OCTETS = 4;
const CHANCES = 2 ** (CHANCE_OCTETS * 8);
const MAX_TO = 100;
const MAX_NAMED = 100;
/** Clients asked at once, where nobody knows whose message it was. */
const ABREAST = 8;
const PURGED_AT_ONCE = 1_000;

/** Of a line's digest: enough among some hundred lines, and eight characters of base64. */
const LINE_OCTETS = 6;
const DIGESTS = /.{8}/g;
/** The lines of a campaign are the same in every message but for an address or two. */
const LINES_KEPT = 4_000;
const LINE_CHARS_KEPT = 1_000_000;
/** A longer one is no line of a footer. */
const LONGEST_LINE = 16_384;

export interface StoredSendsParts {
  readonly store: Store;
  readonly digests: Digests;
  readonly vault: Vault;
  readonly clock: Clock;
}

/** What is sealed. Short names: there is one for every message. */
interface Plain {
  readonly campaign: CampaignId | undefined;
  readonly credential: string | undefined;
  readonly transaction: string;
  readonly to: readonly string[];
  readonly from: string;
  readonly id: string | undefined;
  /** Digests of lines, one behind the other. */
  readonly lines: string;
}

interface Line {
  /** One a key of the ring. */
  readonly digests: readonly string[];
  readonly telling: boolean;
}

export class StoredSends implements Sends {
  readonly #parts: StoredSendsParts;
  readonly #lines = new LRUCache<string, Line>({
    max: LINES_KEPT,
    maxSize: LINE_CHARS_KEPT,
    maxEntrySize: LONGEST_LINE + 1,
    sizeCalculation: (_line, text) => text.length + 1,
  });

  constructor(parts: StoredSendsParts) {
    this.#parts = parts;
  }

  reserve(): string {
    return (
      timePrefix(this.#parts.clock.now()) +
      randomInt(CHANCES)
        .toString(16)
        .padStart(CHANCE_OCTETS * 2, '0')
    );
  }

  async remember(id: string, input: SendInput): Promise<void> {
    const { store, digests } = this.#parts;
    const { client, messageId, recipients } = input;
    const sealer = await this.#sealer(client);
    if (sealer === undefined) throw new StoreUnavailable('the vault has no key of the client: its mail cannot be remembered');
    const plain: Plain = {
      campaign: input.campaignNamed && input.campaigns.length === 1 ? input.campaigns[0] : undefined,
      credential: input.credential,
      transaction: input.transaction,
      to: recipients.map(({ relayed }) => relayed),
      from: input.reversePath,
      id: messageId,
      lines: [...new Set(input.footer.map(line => this.#line(line).digests[0] as string))].join(''),
    };
    const key = sendKey(client, id);
    const led: Led = {
      messageId: messageId === undefined ? undefined : digests.name('message-id', messageName(messageId))[0],
      people: recipients.map(recipient => digests.person(recipient)[0] as Digest),
    };
    const changes: Change[] = leadsTo(client, id, led).map(lead => ({ key: lead, value: NOTHING }));
    changes.push({ key, value: Buffer.concat([encodeLed(led), sealer.seal(JSON.stringify(plain), aad(key))]) });
    for (let at = 0; at < changes.length; at += MAX_CHANGES) await store.apply(changes.slice(at, at + MAX_CHANGES));
  }

  async find(client: ClientId, id: string): Promise<Send | undefined> {
    return (await this.#read(client, [id]))[0];
  }

  async byMessageId(clients: readonly ClientId[], messageIds: readonly string[]): Promise<readonly Send[]> {
    const named = [...new Set(messageIds.map(messageName))].slice(0, MAX_NAMED);
    const wanted = named.flatMap(name => this.#parts.digests.name('message-id', name));
    return this.#ofEach(clients, client => this.#led(client, BY_ID, wanted));
  }

  async to(clients: readonly ClientId[], person: Address): Promise<readonly Send[]> {
    return this.#ofEach(clients, client => this.#led(client, TO, this.#parts.digests.person(person)));
  }

  async purge(client: ClientId, before: number): Promise<number> {
    const { store } = this.#parts;
    let changes: Change[] = [];
    let purged = 0;
    for await (const [key, value] of store.scan({ owner: client, log: LOG, to: timePrefix(before) })) {
      const id = key.id as string;
      // What leads to it goes first, and its own record last, which alone knows what does.
      changes.push(...[...leadsTo(client, id, decodeLed(value).led), key].map(gone => ({ key: gone, value: undefined })));
      purged += 1;
      while (changes.length >= PURGED_AT_ONCE) {
        await store.apply(changes.slice(0, MAX_CHANGES));
        changes = changes.slice(MAX_CHANGES);
      }
    }
    await store.apply(changes);
    return purged;
  }

  /** The newest that these digests lead to, at most MAX_TO. */
  async #led(client: ClientId, log: string, digests: readonly Digest[]): Promise<readonly Send[]> {
    const ids = new Set<string>();
    for (const digest of digests) {
      const name = digest.toString('hex');
      let found = 0;
      // In ASCII a dot follows the hyphen.
      for await (const [key] of this.#parts.store.scan({ owner: client, log, from: `${name}-`, to: `${name}.`, reverse: true })) {
        ids.add((key.id as string).slice(name.length + 1));
        found += 1;
        if (found === MAX_TO) break;
      }
    }
    return this.#read(client, [...ids].sort().reverse().slice(0, MAX_TO));
  }

  async #ofEach(clients: readonly ClientId[], ask: (client: ClientId) => Promise<readonly Send[]>): Promise<readonly Send[]> {
    const sends: Send[] = [];
    for (let at = 0; at < clients.length; at += ABREAST) {
      sends.push(...(await Promise.all(clients.slice(at, at + ABREAST).map(ask))).flat());
    }
    return sends.sort((a, b) => b.at - a.at);
  }

  /** In the order of the ids; what is no longer kept, or cannot be opened because its client's key was destroyed, is left out. */
  async #read(client: ClientId, ids: readonly string[]): Promise<readonly Send[]> {
    if (ids.length === 0) return [];
    const keys = ids.map(id => sendKey(client, id));
    const [values, sealer] = await Promise.all([this.#parts.store.find(keys), this.#sealer(client)]);
    return values.flatMap((value, i) => {
      const key = keys[i] as RecordKey;
      const opened = value === undefined ? undefined : sealer?.open(decodeLed(value).sealed, aad(key));
      return opened === undefined ? [] : [this.#send(client, key.id, JSON.parse(opened.toString()) as Plain)];
    });
  }

  #send(client: ClientId, id: string, { campaign, to, from, id: messageId, lines }: Plain): Send {
    let known: ReadonlySet<string> | undefined;
    return {
      id,
      client,
      campaign,
      recipients: to.map(text => parseAddress(text, { utf8: true })).filter(isAddress),
      reversePath: from,
      messageId,
      at: Number.parseInt(id.slice(0, TIME_OCTETS * 2), 16),
      sent: (line, beside = false) => {
        if (line.length > LONGEST_LINE) return false;
        const { digests, telling } = this.#line(line);
        known ??= new Set(lines.match(DIGESTS));
        return (beside || telling) && digests.some(digest => known?.has(digest));
      },
    };
  }

  #line(text: string): Line {
    const cached = this.#lines.get(text);
    if (cached !== undefined) return cached;
    const spelled = spellLine(text);
    const digests = this.#parts.digests.name('line', spelled).map(digest => digest.toString('base64', 0, LINE_OCTETS));
    const line = { digests, telling: isTelling(spelled) };
    // A copy: a slice would keep the whole text alive that it was cut from.
    this.#lines.set(Buffer.from(text).toString(), line);
    return line;
  }

  async #sealer(client: ClientId): Promise<Sealer | undefined> {
    try {
      return await this.#parts.vault.sealer(client);
    } catch (error) {
      if (error instanceof VaultUnavailable) throw new StoreUnavailable(error.message, { cause: error });
      throw error;
    }
  }
}

/** What leads to a send. Kept with it in clear, digests as they are, so that a purge needs neither the client's key nor old ring keys. */
interface Led {
  readonly messageId: Buffer | undefined;
  readonly people: readonly Buffer[];
}

const NOTHING: Value = Buffer.alloc(0);
const LED_HEAD = 5;

/** One octet: whether there is a Message-ID's digest; four: how many people's; the digests. */
function encodeLed({ messageId, people }: Led): Buffer {
  const head = Buffer.alloc(LED_HEAD);
  head.writeUInt8(messageId === undefined ? 0 : 1);
  head.writeUInt32BE(people.length, 1);
  return Buffer.concat([head, ...(messageId === undefined ? [] : [messageId]), ...people]);
}

function decodeLed(value: Value): { readonly led: Led; readonly sealed: Buffer } {
  const named = value.readUInt8() === 1;
  const digests = Array.from({ length: value.readUInt32BE(1) + (named ? 1 : 0) }, (_, i) =>
    value.subarray(LED_HEAD + i * DIGEST_OCTETS, LED_HEAD + (i + 1) * DIGEST_OCTETS),
  );
  const [messageId, people] = named ? [digests[0], digests.slice(1)] : [undefined, digests];
  return { led: { messageId, people }, sealed: value.subarray(LED_HEAD + digests.length * DIGEST_OCTETS) };
}

function leadsTo(client: ClientId, id: string, { messageId, people }: Led): readonly RecordKey[] {
  const to = people.map(person => ({ owner: client, log: TO, id: `${hex(person)}-${id}` }));
  return messageId === undefined ? to : [{ owner: client, log: BY_ID, id: `${hex(messageId)}-${id}` }, ...to];
}

/** Programs on the way change the case of its domain, or lose the brackets. */
function messageName(messageId: string): string {
  return messageId.replace(/[<>\s]/g, '').toLowerCase();
}

function timePrefix(at: number): string {
  return Math.max(0, Math.floor(at))
    .toString(16)
    .padStart(TIME_OCTETS * 2, '0');
}

function sendKey(client: ClientId, id: string): RecordKey {
  return { owner: client, log: LOG, id };
}

function aad(key: RecordKey): string {
  return `${key.owner}/${key.log}/${key.id}`;
}

function hex(octets: Buffer): string {
  return octets.toString('hex');
}
