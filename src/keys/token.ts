/** Tokens: what stands behind the plus of a return path or Reply-To; unforgeable, and names a relayed message. */
import { timingSafeEqual } from 'node:crypto';
import { createMac } from './digest.ts';
import type { Keyring } from './keyring.ts';

/** What a token says. It is ours: nobody without the key makes one. */
export interface Token {
  /** Id of the relayed message in its client's log of sends. */
  readonly send: string;
  /** When it was made, ms since 1970 UTC. */
  readonly at: number;
  /** True for the client that it was made for. */
  isOf(client: string): boolean;
}

/** Of the octets of a token: which client, which message, and the MAC over both. 64 bits of MAC: a guess costs a mail each time. */
const CLIENT = 4;
const SEND = 10;
const MAC = 8;
const TIME = 6;

/** Characters of a token. Behind `bounce+` they leave room within the 64 octets of a local part (RFC 5321 §4.5.3.1.1). */
export const TOKEN_CHARS = Math.ceil(((CLIENT + SEND + MAC) * 8) / 5);

/** RFC 4648 §6 in lower case: no two of its characters differ by case alone. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const TOKEN = new RegExp(`^[a-z2-7]{${TOKEN_CHARS}}$`, 'i');
const SEND_ID = new RegExp(`^[0-9a-f]{${SEND * 2}}$`);

/** Makes tokens under the key ring's current key, and reads what any of its keys made. */
export class Tokens {
  readonly #macs: readonly ReturnType<typeof createMac>[];

  constructor(keyring: Keyring) {
    this.#macs = keyring.deriveAll('token').map(key => createMac(key));
  }

  /** A token for a relayed message (its id in the log of sends): 36 characters of a-z, 2-7, so that it survives whatever changes case. */
  make(client: string, send: string): string {
    if (!SEND_ID.test(send)) throw new RangeError('not the id of a send');
    const mac = this.#macs[0] as ReturnType<typeof createMac>;
    const said = Buffer.concat([clientTag(mac, client), Buffer.from(send, 'hex')]);
    return encode(Buffer.concat([said, proof(mac, said)]));
  }

  /** undefined: none of ours. Upper case is read, too. Whether it is too old is the caller's to say. */
  read(text: string): Token | undefined {
    const octets = decode(text);
    if (octets === undefined) return undefined;
    const said = octets.subarray(0, CLIENT + SEND);
    const mac = this.#macs.find(mac => timingSafeEqual(proof(mac, said), octets.subarray(CLIENT + SEND)));
    if (mac === undefined) return undefined;
    return {
      send: said.toString('hex', CLIENT),
      at: said.readUIntBE(CLIENT, TIME),
      isOf: client => clientTag(mac, client).equals(said.subarray(0, CLIENT)),
    };
  }
}

function clientTag(mac: ReturnType<typeof createMac>, client: string): Buffer {
  return mac(`client\0${client}`).subarray(0, CLIENT);
}

function proof(mac: ReturnType<typeof createMac>, said: Buffer): Buffer {
  return mac(`token\0${said.toString('hex')}`).subarray(0, MAC);
}

function encode(octets: Buffer): string {
  let text = '';
  let held = 0;
  let bits = 0;
  for (const octet of octets) {
    held = (held << 8) | octet;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 31];
}

/** undefined where it is no token's text. The bits that no octet uses must be zero, or one token had several spellings. */
function decode(text: string): Buffer | undefined {
  if (!TOKEN.test(text)) return undefined;
  const octets: number[] = [];
  let held = 0;
  let bits = 0;
  for (const character of text.toLowerCase()) {
    held = (held << 5) | ALPHABET.indexOf(character);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    octets.push(held >> bits);
    held &= (1 << bits) - 1;
  }
  return held === 0 ? Buffer.from(octets) : undefined;
}
