/** What `doctor` says of the admin API: whether it answers where it is configured to, and what the running gate says of its own parts. */
import { get } from 'node:http';
import { get as getTls } from 'node:https';
import { adminListen } from '../admin/options.ts';
import { readConfig } from '../app.ts';
import type { Common } from './command.ts';
import type { Finding } from './diagnosis.ts';

const ANSWER_MS = 15_000;
/** The answer is a few words; whoever sends more is no gate. */
const MAX_ANSWER = 4_096;

export async function adminFindings(options: Common): Promise<readonly Finding[]> {
  const { admin } = readConfig({ file: options.config }).config;
  const endpoint = adminListen(admin.listen);
  // Which port it is that port 0 got, only its log says.
  if (endpoint === undefined || endpoint.port === 0) return [];
  const where = `${endpoint.host}:${endpoint.port}`;
  const parts = await ready(endpoint.host, endpoint.port, admin.tls.cert !== undefined);
  if (parts === undefined)
    return [{ level: 'warn', about: 'admin', text: `nothing answers on ${where} as the admin API does; is the gate running?` }];
  const failing = Object.keys(parts).filter(part => parts[part] !== 'ok');
  return failing.length === 0
    ? [{ level: 'ok', about: 'admin', text: `${where} answers; the gate there is ready for mail` }]
    : [{ level: 'fail', about: 'admin', text: `the gate at ${where} defers mail: ${failing.join(', ')} failing; its log says why` }];
}

/** The parts of GET /health/ready; undefined where no admin API says them. */
function ready(host: string, port: number, tls: boolean): Promise<Readonly<Record<string, unknown>> | undefined> {
  return new Promise(resolve => {
    // Whether the certificate is trusted is a browser's question, not this one.
    const options = { host, port, path: '/health/ready', agent: false, timeout: ANSWER_MS, rejectUnauthorized: false };
    const asked = (tls ? getTls : get)(options, answer => {
      let heard = '';
      answer.on('data', chunk => {
        heard += chunk;
        if (heard.length > MAX_ANSWER) asked.destroy();
      });
      answer.on('end', () => resolve(partsIn(heard)));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('close', () => resolve(undefined));
    asked.on('error', () => resolve(undefined));
  });
}

function partsIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const { parts } = JSON.parse(text) as { readonly parts?: unknown };
    return typeof parts === 'object' && parts !== null ? { ...parts } : undefined;
  } catch {
    return undefined;
  }
}
