/** A room in which mailboxes are read: real store and Dovecot, and a processor that writes down what it was given and fails when told to. */
import type { Test } from 'tap';
import { type MailboxesParts, startMailboxes } from '../../src/inbound/mailbox.ts';
import type { InboundOptions } from '../../src/inbound/options.ts';
import type { Arrival, Processor } from '../../src/inbound/processor.ts';
import { StoredPending } from '../../src/journal/pending.ts';
import { type Desk, newDesk } from '../journal/desk.ts';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { until } from '../support/until.ts';

type MailboxOptions = InboundOptions['mailboxes'][number];

export interface Room {
  readonly dovecot: Dovecot;
  readonly desk: Desk;
  readonly pending: StoredPending;
  /** Every arrival that was processed, in order; and the same by subject. */
  readonly arrivals: Arrival[];
  subjects(): string[];
  /** Asked before an arrival counts as processed; what it throws, the processor throws. */
  before: (arrival: Arrival) => Promise<void> | void;
  /** Starts a process that reads mailboxes; it stops at the end of the test, if not before. */
  read(mailboxes: Partial<MailboxOptions> | readonly Partial<MailboxOptions>[], more?: Partial<MailboxesParts>): { stop(): Promise<void> };
  alarms(): string[];
  logText(): string;
}

export const USER = 'carol@acme.example';

export async function newRoom(t: Test, storeUrl?: string): Promise<Room> {
  const dovecot = await startDovecot(t);
  const desk = await newDesk(t, storeUrl);
  desk.clock.at = Date.now();
  const arrivals: Arrival[] = [];
  const processor: Processor = {
    async process(arrival) {
      await room.before(arrival);
      arrivals.push(arrival);
      return { outcome: 'applied', logged: [], passOnTo: undefined, forwardFor: undefined };
    },
  };
  const running: { stop(): Promise<void> }[] = [];
  const room: Room = {
    dovecot,
    desk,
    pending: new StoredPending(desk.parts),
    arrivals,
    subjects: () => arrivals.map(({ octets }) => /^Subject: (.*)\r$/m.exec(octets.toString())?.[1] ?? ''),
    before: () => undefined,
    read(mailboxes, more = {}) {
      const list = Array.isArray(mailboxes) ? mailboxes : [mailboxes];
      const defaults = { name: 'carol', url: dovecot.url(USER), folders: ['INBOX'], pollSeconds: 0.2, sinceDays: 30, addresses: [] };
      const reading = startMailboxes({
        ...desk.parts,
        mailboxes: list.map(options => ({ ...defaults, ...options })),
        maxMessageBytes: 1_000_000,
        processor,
        pending: room.pending,
        replyAddresses: async () => [],
        timings: { connectMs: 2_000, answerMs: 2_000, retryMs: 20, longestRetryMs: 100 },
        ...more,
      });
      running.push(reading);
      return reading;
    },
    alarms: () => desk.logged.flatMap(line => ('alarm' in line ? [String(line.alarm)] : [])),
    logText: () => JSON.stringify(desk.logged),
  };
  // Teardowns run backwards: this one before the store and the server go.
  t.teardown(async () => {
    for (const reading of running) await reading.stop();
  });
  return room;
}

export function letter(subject: string, more = ''): string {
  return `${more}From: Pat <pat@widgets.example>\nTo: ${USER}\nSubject: ${subject}\nMessage-ID: <${subject}@widgets.example>\n\nThanks, tell me more.\n`;
}

/** Waits until exactly these subjects were processed, in this order. */
export async function seen(room: Room, subjects: readonly string[]): Promise<void> {
  await until(subjects.join(', '), () => room.arrivals.length >= subjects.length);
}
