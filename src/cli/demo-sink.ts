/** The demo's upstream: takes every message and forgets it. */
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface DemoSink {
  readonly port: number;
  /** Messages taken so far. */
  taken(): number;
  close(): Promise<void>;
}

export function startDemoSink(): Promise<DemoSink> {
  let taken = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onData(stream, _session, callback) {
      stream.resume();
      stream.on('end', () => {
        taken += 1;
        callback(null, 'Taken by the sink');
      });
    },
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.server.address() as AddressInfo;
      resolve({ port, taken: () => taken, close: () => new Promise(done => server.close(() => done())) });
    });
  });
}
