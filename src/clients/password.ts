/** Passwords: made here, hashed with argon2id off the event loop, few at a time. */
import { randomInt } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** 28 of 62 characters: 166 bits. */
const LENGTH = 28;
/** OWASP Password Storage Cheat Sheet: argon2id (the library's default) with 19 MiB, 2 passes, 1 lane at least. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Longer ones are never right, and hashing megabytes is what an attacker would like. */
const MAX_OCTETS = 256;

/** Too many passwords are waiting to be checked: nobody's fault, try again. Deserves 454 4.7.0 (RFC 4954 §4.7.3). */
export class AuthenticationBusy extends Error {
  override readonly name = 'AuthenticationBusy';
}

export function generatePassword(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

export interface PasswordLimits {
  /** Verifications that run at once; each takes 19 MiB and a thread of the pool that file and DNS calls share. */
  readonly running: number;
  readonly waiting: number;
}

/** Hashes and verifies, at most so many at once, so that a burst of log-ins cannot take the machine. */
export class Passwords {
  readonly #limits: PasswordLimits;
  readonly #queue: (() => void)[] = [];
  #running = 0;
  #decoy: string | undefined;

  constructor(limits: PasswordLimits = { running: 2, waiting: 64 }) {
    this.#limits = limits;
  }

  /** @throws AuthenticationBusy */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(password, COST));
  }

  /**
   * Whether the password is the one that was hashed. Without a hash the answer is false and takes as long, so that a stranger
   * cannot tell which user names exist. @throws AuthenticationBusy
   */
  async verify(hashed: string | undefined, password: string): Promise<boolean> {
    if (Buffer.byteLength(password) > MAX_OCTETS) return false;
    this.#decoy ??= await this.hash(generatePassword());
    const decoy = this.#decoy;
    const right = await this.#inTurn(() => verify(hashed ?? decoy, password));
    return right && hashed !== undefined;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limits.running) this.#running += 1;
    else if (this.#queue.length < this.#limits.waiting) await new Promise<void>(turn => this.#queue.push(turn));
    else throw new AuthenticationBusy('too many passwords are waiting to be checked');
    try {
      return await work();
    } finally {
      // The place is handed on rather than given back, so that nobody new slips in before those who wait.
      const next = this.#queue.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
