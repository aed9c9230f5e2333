/** What the routes of settings share: the house's refusals in the API's words, and whether something is there already just so. */
import type { Refusal } from '../clients/refusal.ts';
import { refused } from './problem.ts';

/** Refusals name a field as the command line has it. */
const FIELDS: Readonly<Record<string, string>> = {
  'privacy-url': 'privacyUrls',
  'from-domain': 'fromDomains',
  'return-path-domain': 'returnPathDomains',
  'tracking-host': 'trackingHosts',
  'max-rate': 'maxRate',
  'max-sessions': 'maxSessions',
  'reply-address': 'replyAddresses',
  'return-path': 'returnPath',
  'tag-reply-to': 'tagReplyTo',
  'forward-to': 'forwardTo',
  'target-domain': 'targetDomains',
  ip: 'ips',
};

/** Answers with what the house refused, its fields named as in the body. */
export function refusedSettings<R extends { code(status: number): unknown }>(reply: R, { problem, texts }: Refusal): R {
  const named = texts.map(text => text.replace(/^([a-z-]+)(?=: )/, field => FIELDS[field] ?? field));
  return refused(reply, { problem, texts: named });
}

/** Whether what is there holds all that is asked for; the order of a list does not matter. */
export function saysAlready(there: object, asked: object): boolean {
  const held = there as Readonly<Record<string, unknown>>;
  const plain = (value: unknown): string => JSON.stringify(Array.isArray(value) ? [...value].sort() : (value ?? null));
  return Object.entries(asked).every(([name, value]) => plain(held[name]) === plain(value));
}
