/** Where the certificate comes from: the configured files, or a self-signed pair made at first start. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';

export interface TlsSettings {
  /** PEM files, relative to `baseDir`; both or neither. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Where they stand in the configuration, for errors; default `submission.tls`. */
  readonly option?: string;
}

/** PEM texts. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Absolute paths. */
export interface PairFiles {
  readonly cert: string;
  readonly key: string;
  /** As in TlsSettings. */
  readonly option?: string | undefined;
}

const OPTION = 'submission.tls';

const DAY_MS = 86_400_000;
const YEARS = 10;

/**
 * The files to read. Where none are configured: a self-signed pair for `hostname` and localhost in `<baseDir>/tls`, made if it is not there.
 * @throws Error where only one of the two is configured, or the folder cannot be written.
 */
export async function findPair(settings: TlsSettings, baseDir: string, hostname: string, clock: Clock, log: Logger): Promise<PairFiles> {
  const { cert, key, option = OPTION } = settings;
  if (cert !== undefined && key !== undefined) return { cert: resolve(baseDir, cert), key: resolve(baseDir, key), option };
  if (cert !== undefined || key !== undefined) {
    throw new Error(`${option}: cert and key belong together; set both, or neither for a self-signed pair`);
  }
  const folder = join(baseDir, 'tls');
  const files = { cert: join(folder, 'self-signed.crt'), key: join(folder, 'self-signed.key') };
  if (!existsSync(files.cert) || !existsSync(files.key)) await makePair(files, folder, hostname, clock);
  log.warn({ cert: files.cert }, `the certificate is self-signed, clients cannot verify it; set ${option}.cert and ${option}.key`);
  return files;
}

async function makePair(files: PairFiles, folder: string, hostname: string, clock: Clock): Promise<void> {
  // Two hundred files of ASN.1, wanted once in a site's life: every command would wait for them.
  const { generate } = await import('selfsigned');
  const now = clock.now();
  const pair = await generate([{ name: 'commonName', value: hostname }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // A client's clock may be behind.
    notBeforeDate: new Date(now - DAY_MS),
    notAfterDate: new Date(now + YEARS * 365 * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: hostname },
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await place(files.key, pair.private, 0o600);
  await place(files.cert, pair.cert, 0o644);
}

/** Whole or not at all. */
async function place(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text, { mode });
  await rename(draft, file);
}

/**
 * Reads the pair and tries it out; warns where it is about to expire.
 * @throws Error that names the file or key, and never holds what a file holds.
 */
export async function readPair(files: PairFiles, clock: Clock, log: Logger): Promise<KeyPair> {
  const { option = OPTION } = files;
  const [cert, key] = await Promise.all([readPem(files.cert, `${option}.cert`), readPem(files.key, `${option}.key`)]);
  let expires: number;
  try {
    createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
    const own = new X509Certificate(cert);
    // OpenSSL keeps RSA and EC apart: it takes a certificate of the one and a key of the other, and then every handshake fails.
    if (!own.checkPrivateKey(createPrivateKey(key))) throw new Error('of another key');
    expires = Date.parse(own.validTo);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new Error(`${option}: ${files.cert} and ${files.key} are no matching PEM certificate and key${code}`);
  }
  const days = Math.floor((expires - clock.now()) / DAY_MS);
  if (days < 14) log.warn({ cert: files.cert, days }, days < 0 ? 'the certificate has expired' : 'the certificate expires soon');
  return { cert, key };
}

async function readPem(file: string, option: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new Error(`${option}: ${file} cannot be read (${code})`);
  }
}
