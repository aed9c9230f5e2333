/** Events that a client's platform may be told of, and their form on the wire. */

/** Each is fired by something, which a test shows for every one of them. */
export const EVENT_TYPES = [
  'email.refused',
  'email.unsubscribed',
  'email.complained',
  'email.bounced',
  'suppression.created',
  'suppression.deleted',
  'import.finished',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** `webhook.test` is sent only where somebody asks for it. */
export type SentType = EventType | 'webhook.test';

/** What happened. Words as in DESIGN §5; no field holds an address but `recipient`. */
export interface EventData {
  readonly campaign?: string | undefined;
  readonly check?: string | undefined;
  readonly token?: string | undefined;
  /** Id of the decision, the reply or the import (over the API). */
  readonly ref?: string | undefined;
  readonly reason?: string | undefined;
  readonly source?: string | undefined;
  /** First 12 hexadecimal digits of the keyed digest: names a list entry, not a person. Left out as the recipient is. */
  readonly digest?: string | undefined;
  /** `local@domain`, whom the client mailed or listed itself. Left out when it is sent where the person was erased by then. */
  readonly recipient?: string | undefined;
  /** Of an import: how it ended; and what became of its rows. */
  readonly state?: string | undefined;
  readonly counts?: Readonly<Record<string, number>> | undefined;
}

export interface NewEvent {
  readonly type: EventType;
  readonly data: EventData;
}
