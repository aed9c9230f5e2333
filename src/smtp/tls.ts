/** The certificate in use: loaded at start, loaded again when its files change, kept where the new one is broken. */
import { unwatchFile, watchFile } from 'node:fs';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import { findPair, type KeyPair, type PairFiles, readPair, type TlsSettings } from './certificate.ts';

/** Files are asked for their time and size, as this also notices a link that points elsewhere, which a watch on the file would not. */
const WATCH_MS = 10_000;

export class Certificates {
  readonly #files: PairFiles;
  readonly #clock: Clock;
  readonly #log: Logger;
  #current: KeyPair;
  #use: (pair: KeyPair) => void = () => undefined;
  readonly #changed = (): void => void this.reload();

  private constructor(files: PairFiles, current: KeyPair, clock: Clock, log: Logger) {
    this.#files = files;
    this.#current = current;
    this.#clock = clock;
    this.#log = log;
  }

  /** @throws Error that names the key or file where there is no usable pair. */
  static async load(settings: TlsSettings, baseDir: string, hostname: string, clock: Clock, log: Logger): Promise<Certificates> {
    return Certificates.of(await findPair(settings, baseDir, hostname, clock, log), clock, log);
  }

  /** @throws Error that names the key or file where the pair is not usable. */
  static async of(files: PairFiles, clock: Clock, log: Logger): Promise<Certificates> {
    return new Certificates(files, await readPair(files, clock, log), clock, log);
  }

  get current(): KeyPair {
    return this.#current;
  }

  /** From now on `use` is told of every new pair; `everyMs`: how often the files are looked at. */
  watch(use: (pair: KeyPair) => void, everyMs: number = WATCH_MS): void {
    this.#use = use;
    for (const file of [this.#files.cert, this.#files.key]) watchFile(file, { interval: everyMs, persistent: false }, this.#changed);
  }

  /** Reads the files again. A pair that does not work is logged and the old one stays. Never rejects. */
  async reload(): Promise<void> {
    try {
      const pair = await readPair(this.#files, this.#clock, this.#log);
      if (pair.cert === this.#current.cert && pair.key === this.#current.key) return;
      this.#current = pair;
      this.#use(pair);
      this.#log.info({ cert: this.#files.cert }, 'a new certificate is in use');
    } catch (error) {
      this.#log.error(
        { reason: error instanceof Error ? error.message : 'unknown' },
        'the new certificate is not usable; the old one stays in use',
      );
    }
  }

  close(): void {
    for (const file of [this.#files.cert, this.#files.key]) unwatchFile(file, this.#changed);
  }
}
