/** `postern doctor`: looks at everything the gate relies on and says what is well, what is doubtful and what is broken. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { Command } from 'commander';
import { type House, openHouse, readConfig, upstreamsOf } from '../app.ts';
import { parseListens } from '../smtp/listen.ts';
import { StoreUnavailable } from '../store/store.ts';
import { type Common, command } from './command.ts';
import type { Finding } from './diagnosis.ts';
import { adminFindings } from './doctor-admin.ts';
import { auditFindings } from './doctor-audit.ts';
import { inboundFindings } from './doctor-inbound.ts';
import { policyFindings } from './doctor-policies.ts';
import { EXIT } from './exit.ts';
import { printJson, printLine } from './output.ts';

const GREETING_MS = 5000;

export function addDoctorCommand(program: Command): void {
  command(program, 'doctor', 'look at store, keys, ledger, policies, audit trails, upstream, listeners, admin API and the way back')
    .option('--live', 'only ask whether the gate answers on its port (for health checks)')
    .action(doctor);
}

async function doctor(options: Common & { live?: boolean }): Promise<void> {
  const findings =
    options.live === true
      ? await listenerFindings(options, 'fail')
      : [...(await houseFindings(options)), ...(await listenerFindings(options, 'warn')), ...(await adminFindings(options))];
  const unwell = findings.filter(({ level }) => level === 'fail');
  if (options.json === true) printJson({ ok: unwell.length === 0, findings });
  else for (const { level, about, text } of findings) printLine(`${level.padEnd(4)}  ${about.padEnd(8)}  ${text}`);
  if (unwell.length > 0) process.exitCode = EXIT.unavailable;
}

async function houseFindings(options: Common): Promise<readonly Finding[]> {
  let house: House;
  try {
    house = await openHouse({ file: options.config });
  } catch (error) {
    // What keeps a house from opening is what a doctor is asked for; a usage problem is not.
    if (error instanceof StoreUnavailable) return [{ level: 'fail', about: 'store', text: error.message }];
    throw error;
  }
  try {
    const store = (await house.store.inspect()).map(finding => ({ ...finding, about: 'store' }));
    const clients = await house.clients.list();
    return [
      ...store,
      { level: 'ok', about: 'keys', text: `key ring and head record agree; ${clients.length} client${clients.length === 1 ? '' : 's'}` },
      ledgerFinding(house),
      ...(await policyFindings(house, clients)),
      ...(await auditFindings(house)),
      await upstreamFinding(house),
      ...(await inboundFindings(house)),
    ];
  } finally {
    await house.close();
  }
}

/** A store that several gates may share, and a ledger that only this machine has. */
function ledgerFinding({ config, ledger }: House): Finding {
  const alone = config.store.url.startsWith('redis') && !config.ledger.url.startsWith('redis');
  return alone
    ? {
        level: 'warn',
        about: 'ledger',
        text: `${ledger.name}: replayed; several gates of this store need one that they share (ledger.url: redis://…)`,
      }
    : { level: 'ok', about: 'ledger', text: `${ledger.name}: replayed` };
}

async function upstreamFinding(house: House): Promise<Finding> {
  const upstreams = upstreamsOf(house);
  try {
    await Promise.race([
      upstreams.verify(),
      sleep(15_000, undefined, { ref: false }).then(() => Promise.reject(new Error('no answer within 15 s'))),
    ]);
    return { level: 'ok', about: 'upstream', text: 'connects, greets and answers' };
  } catch (error) {
    return { level: 'fail', about: 'upstream', text: error instanceof Error ? error.message : 'no answer' };
  } finally {
    await upstreams.close();
  }
}

/** `silent`: how bad it is that nothing answers; a doctor may well be asked before the gate is started. */
async function listenerFindings(options: Common, silent: Finding['level']): Promise<readonly Finding[]> {
  const { submission, inbound } = readConfig({ file: options.config }).config;
  // Which port it is that a listener on port 0 got, only its log says; for submission that is worth a complaint.
  const back = inbound.listen === 'off' ? [] : parseListens(inbound.listen).filter(({ port }) => port !== 0);
  const places = [
    ...parseListens(submission.listen).map(endpoint => ({ ...endpoint, about: 'listener' })),
    ...back.map(endpoint => ({ ...endpoint, about: 'inbound' })),
  ];
  return Promise.all(
    places.map(async ({ host, port, implicitTls, about }): Promise<Finding> => {
      const where = `${host}:${port}`;
      const answer = await greeting(host, port, implicitTls);
      return answer === undefined
        ? { level: silent, about, text: `nothing answers on ${where}; is the gate running?` }
        : { level: 'ok', about, text: `${where} ${answer}` };
    }),
  );
}

/** The first line that a listener says, if it is a greeting. */
function greeting(host: string, port: number, implicitTls: boolean): Promise<string | undefined> {
  return new Promise(resolve => {
    // Whether the certificate is trusted is the sender's question, not this one.
    const socket = implicitTls ? connectTls({ host, port, rejectUnauthorized: false }) : connect(port, host);
    let heard = '';
    const end = (answer: string | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(GREETING_MS, () => end(undefined));
    socket.on('error', () => end(undefined));
    socket.on('close', () => end(undefined));
    socket.on('data', chunk => {
      heard += chunk.toString('latin1');
      if (heard.includes('\n')) end(heard.startsWith('220') ? heard.split('\r')[0] : undefined);
    });
  });
}
