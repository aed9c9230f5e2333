/** Starts a listener for one test, with settings that suit tests, and stops it with the test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/ops/clock.ts';
import { createLog, type Logger } from '../../src/ops/log.ts';
import { ByteBudget } from '../../src/smtp/budget.ts';
import { type Listener, type ListenerSettings, startListener } from '../../src/smtp/listener.ts';
import { TEST_CERTIFICATE } from '../support/certificate.ts';
import { OpenGate } from '../support/open-gate.ts';
import { type DialOptions, dial, type SmtpClient } from '../support/smtp-client.ts';

export interface Running {
  readonly listener: Listener;
  readonly gate: OpenGate;
  readonly port: number;
  readonly logged: string[];
  readonly folder: string;
  readonly budget: ByteBudget;
  /** Connects and reads the greeting. */
  greeted(options?: DialOptions): Promise<SmtpClient>;
}

interface Test {
  teardown(fn: () => unknown): void;
}

export async function listening(t: Test, over: Partial<ListenerSettings<string>> & { gate?: OpenGate } = {}): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'smtp-'));
  writeFileSync(join(folder, 'cert.pem'), TEST_CERTIFICATE.cert);
  writeFileSync(join(folder, 'key.pem'), TEST_CERTIFICATE.key);
  const logged: string[] = [];
  const log: Logger = createLog('trace', { write: line => void logged.push(line) });
  const gate = over.gate ?? new OpenGate();
  const budget = over.budget ?? new ByteBudget(100_000_000);
  const listener = await startListener<string>({
    listen: '127.0.0.1:0',
    hostname: 'gate.example',
    tls: { cert: 'cert.pem', key: 'key.pem' },
    baseDir: folder,
    maxMessageBytes: 1_000_000,
    maxRecipients: 100,
    maxSessions: 100,
    proxyProtocol: [],
    xclient: [],
    log,
    clock: systemClock,
    ...over,
    gate,
    budget,
  });
  t.teardown(async () => {
    await listener.stop(0);
    rmSync(folder, { recursive: true, force: true });
  });
  const port = listener.addresses[0]?.port ?? 0;
  return {
    listener,
    gate,
    port,
    logged,
    folder,
    budget,
    greeted: async options => {
      const client = await dial(port, options);
      t.teardown(() => client.close());
      await client.reply();
      return client;
    },
  };
}
