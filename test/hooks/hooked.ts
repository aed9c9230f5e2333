/** A real gate with a webhook: what comes back is sent over SMTP, the rest over the API, and a real receiver is told. */
import { EVENT_TYPES } from '../../src/hooks/event.ts';
import { ACME, type Acme, acmeSite } from '../support/acme.ts';
import type { RunningGate } from '../support/site.ts';
import { dial } from '../support/smtp-client.ts';
import { startReceiver } from './receiver.ts';

const BY = { by: 'test', from: 'cli' };

interface Answer {
  readonly status: number;
  readonly etag: string;
  readonly body: Readonly<Record<string, unknown>>;
}

type Api = (gate: RunningGate, method: string, path: string, body?: unknown, match?: string) => Promise<Answer>;

/** An operator's client of the gate's admin API. */
async function operator(acme: Acme): Promise<Api> {
  const token = await acme.house(async ({ accounts }) => {
    await accounts.directory.add({ name: 'op', role: 'admin', client: undefined, ips: undefined, password: 'correct horse battery' }, BY);
    const issued = await accounts.tokens.issue('op', { days: 1 }, BY);
    if ('problem' in issued) throw new Error('no token');
    return issued.secret;
  });
  return async (gate, method, path, body, match) => {
    const headers: Record<string, string> = { authorization: `Bearer ${token}`, ...(match === undefined ? {} : { 'if-match': match }) };
    const sent = body === undefined ? {} : typeof body === 'string' ? { body } : { body: JSON.stringify(body) };
    if (body !== undefined) headers['content-type'] = typeof body === 'string' ? 'text/csv' : 'application/json';
    const answer = await fetch(`http://127.0.0.1:${gate.adminPort}${path}`, { method, headers, ...sent });
    const text = await answer.text();
    return { status: answer.status, etag: answer.headers.get('etag') ?? '', body: text === '' ? {} : JSON.parse(text) };
  };
}

/** One mail; the reply to its recipient where that is a refusal, else to its final dot. */
export async function deliver(port: number, from: string, to: string, lines: readonly string[]): Promise<string> {
  const client = await dial(port);
  await client.reply();
  await client.ask('EHLO client.example');
  await client.ask(`MAIL FROM:<${from}>`);
  const taken = await client.ask(`RCPT TO:<${to}>`);
  if (!taken.startsWith('250')) {
    client.close();
    return taken;
  }
  await client.ask('DATA');
  const reply = await client.ask([...lines, '.'].join('\r\n'));
  client.close();
  return reply;
}

export const HOOKS = `/v1/clients/${ACME}/webhooks`;

/** Acme's gate, a webhook of acme's for these types, and its receiver. `settings` as acmeSite takes them. */
export async function hooked(
  t: Parameters<typeof acmeSite>[0],
  types: readonly string[] = EVENT_TYPES,
  settings: Readonly<Record<string, unknown>> = {},
) {
  const acme = await acmeSite(t, { webhooks: { loopback: true }, metrics: {}, ...settings });
  await acme.house(async ({ clients }) => {
    await clients.update(ACME, { replyAddresses: ['reply@acme.example'] });
  });
  const api = await operator(acme);
  const gate = await acme.site.serve();
  const receiver = await startReceiver();
  const made = await api(gate, 'POST', HOOKS, { url: receiver.url, types });
  if (made.status !== 201) throw new Error(`no webhook: ${made.status} ${JSON.stringify(made.body)}`);
  const { id, secret } = made.body as { id: string; secret: string };
  receiver.secret = secret;
  return { acme, api, gate, receiver, id };
}
