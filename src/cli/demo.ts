/** `postern demo`: plays the story on fresh temporary data with a built-in sink: who passes, who is refused, and what is counted. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createTransport } from 'nodemailer';
import { type House, openHouse, startGate } from '../app.ts';
import { readStats, USUAL_GROUPS } from '../journal/stats.ts';
import { isAddress, parsePerson } from '../mail/address.ts';
import { command } from './command.ts';
import { startDemoSink } from './demo-sink.ts';
import { CommandFailure } from './exit.ts';
import { printLine } from './output.ts';
import { settled } from './settled.ts';
import { printStats } from './stats.ts';

interface Scene {
  readonly title: string;
  readonly to: string;
  /** The mail lacks the link to the privacy policy. */
  readonly withoutPolicy?: boolean;
  /** The code and token that the story needs. */
  readonly expected: string;
}

const POLICY = 'https://www.acme.example/privacy';
const USER = 'acme-mailer';

const SCENES: readonly Scene[] = [
  { title: 'a clean mail', to: 'jo@prospect.example', expected: '250' },
  { title: 'an excluded address', to: 'Pat+news@Customer.example', expected: '550 5.7.1 (excluded)' },
  { title: 'an excluded domain', to: 'sam@berlin.competitor.example', expected: '550 5.7.1 (excluded)' },
  { title: 'a person who was erased', to: 'kim@former.example', expected: '550 5.7.1 (suppressed)' },
  { title: 'a personal address', to: 'someone@gmail.com', expected: '550 5.7.1 (personal)' },
  { title: 'a mail without the privacy link', to: 'jo@prospect.example', withoutPolicy: true, expected: '554 5.6.0 (privacy-link)' },
];

export function addDemoCommand(program: Command): void {
  command(program, 'demo', 'play the story on temporary data, with a built-in sink')
    .option('--keep', 'leave gate and sink running until Ctrl-C')
    .action(demo);
}

async function demo(options: { keep?: boolean }): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'postern-demo-'));
  const sink = await startDemoSink();
  const config = join(dir, 'postern.yaml');
  writeFileSync(
    config,
    `submission: {listen: "127.0.0.1:0", hostname: gate.example}\ninbound: {listen: "off"}\nadmin: {listen: "off"}\nupstream: {url: "smtp://127.0.0.1:${sink.port}?starttls=off"}\nlog: {level: error}\n`,
  );
  const house = await openHouse({ file: config, create: true, env: {} });
  const gate = await startGate(house);
  try {
    const password = await furnish(house);
    const port = gate.addresses[0]?.port ?? 0;
    const failed = await play(port, password);
    await gate.journal.flush();
    printLine('\nWhat was counted (postern stats):\n');
    const owners = (await house.clients.list()).map(({ id }) => id);
    printStats(USUAL_GROUPS, await readStats(house.store, { owners, groupBy: USUAL_GROUPS }));
    printLine(`\nThe sink took ${sink.taken()} of ${SCENES.length} messages.`);
    if (failed.length > 0) throw new CommandFailure(`the story went wrong at: ${failed.join(', ')}`);
    if (options.keep === true) {
      printLine(`\nLeft running: submission on 127.0.0.1:${port}, user ${USER}, password ${password}, config ${config}. Ctrl-C ends it.`);
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    }
  } finally {
    await gate.stop();
    await house.close();
    await sink.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A client with a campaign, and somebody on each kind of list. */
async function furnish(house: House): Promise<string> {
  const { clients, lists } = house;
  settled(await clients.add({ id: 'acme', name: 'Acme', privacyUrls: [POLICY], fromDomains: ['acme.example'] }));
  settled(await clients.addCampaign('acme', 'spring', []));
  const credential = settled(await clients.addCredential({ client: 'acme', username: USER, campaign: 'spring', ips: [], password: true }));
  const owner = credential.credential.client;
  await lists.add({ owner }, person('pat@customer.example'), { reason: 'manual', source: 'operator' });
  await lists.add({ owner }, { domain: 'competitor.example' }, { reason: 'manual', source: 'operator' });
  await lists.suppress({ owner }, person('kim@former.example'), { reason: 'erasure', source: 'operator' });
  return credential.password ?? '';
}

function person(text: string) {
  const address = parsePerson(text);
  if (!isAddress(address)) throw new Error('not an address');
  return address;
}

/** Sends every scene's mail as a platform would, prints the dialogue, and names the scenes that went otherwise. */
async function play(port: number, password: string): Promise<string[]> {
  const failed: string[] = [];
  for (const scene of SCENES) {
    printLine(`\n${scene.title}`);
    const replies: string[] = [];
    const transport = createTransport({
      host: '127.0.0.1',
      port,
      requireTLS: true,
      // The demo's certificate is a minute old and signed by nobody.
      tls: { rejectUnauthorized: false },
      auth: { user: USER, pass: password },
      debug: true,
      logger: dialogue(line => {
        printLine(`  ${line}`);
        replies.push(line);
      }),
    } as object);
    await transport.sendMail(mail(scene)).catch(() => undefined);
    transport.close();
    const [code, token = ''] = scene.expected.split(' (');
    const told = scene.expected === '250' ? replies.slice(-1) : replies;
    if (!told.some(line => line.startsWith(`S: ${code}`) && line.includes(token))) failed.push(scene.title);
  }
  return failed;
}

/** Nodemailer's transcript, from MAIL on, without the message itself. */
function dialogue(tell: (line: string) => void): object {
  let telling = false;
  const note = ({ tnx }: { tnx?: string }, text: string) => {
    if (tnx === 'client' && text.startsWith('MAIL')) telling = true;
    if (telling && tnx === 'client' && !text.startsWith('QUIT')) tell(`C: ${text}`);
    if (telling && tnx === 'server' && !text.startsWith('221')) tell(`S: ${text}`);
  };
  const none = () => undefined;
  return { level: none, trace: note, debug: note, info: none, warn: none, error: none, fatal: none };
}

function mail({ to, withoutPolicy }: Scene) {
  const policy = withoutPolicy === true ? '' : `\nPrivacy policy: ${POLICY}\n`;
  const link = withoutPolicy === true ? '' : `<p><a href="${POLICY}">Privacy policy</a></p>`;
  return {
    from: 'Jo at Acme <jo@acme.example>',
    to,
    subject: 'The planning board',
    list: { unsubscribe: 'https://www.acme.example/unsubscribe?u=42' },
    text: `See every delivery of the week on one page.\n${policy}\nUnsubscribe: https://www.acme.example/unsubscribe?u=42\n`,
    html: `<p>See every delivery of the week on one page.</p>${link}<p><a href="https://www.acme.example/unsubscribe?u=42">Unsubscribe</a></p>`,
  };
}
