/** Policies at work: asks all checks of a policy at once, fails closed, and says which objection is told. */
import { VaultUnavailable } from '../keys/vault-shelf.ts';
import type { Address } from '../mail/address.ts';
import type { Message } from '../mail/message.ts';
import { defer, isRejected } from '../mail/reply.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { Check, CheckDefinition, Mode, Objection, Submission, Verdict } from './check.ts';
import type { PolicySettings } from './settings.ts';

/** A check's definition with its needs handed to it already. */
export interface WiredCheck {
  readonly definition: CheckDefinition;
  create(options: object): Check;
}

/** An objection and who raised it. */
export interface Finding extends Objection {
  readonly check: string;
  readonly mode: Exclude<Mode, 'off'>;
}

/** What a policy says of a recipient or a message. */
export interface Ruling {
  /** The enforced objection to be told; undefined where nothing stands against it. */
  readonly objection: Finding | undefined;
  /** Objections of checks in observe mode: recorded, never refusing. */
  readonly observed: readonly Finding[];
  /** Every objection, in registry order. */
  readonly all: readonly Finding[];
  /** True where some check knows that the recipient was erased, or gave no answer: no record of this ruling may name them. */
  readonly erased: boolean;
}

export interface Policy {
  readonly name: string;
  /** Check → mode; checks that are off are absent. */
  readonly modes: ReadonlyMap<string, Mode>;
  /** Asked at RCPT, and again at the final dot. Never rejects: whatever fails is a 451. */
  askRcpt(rcpt: Address, submission: Submission): Promise<Ruling>;
  /** Asked at the final dot. Never rejects. */
  askMessage(message: Message, submission: Submission): Promise<Ruling>;
}

export interface Policies {
  readonly names: readonly string[];
  /** The policy of this name; undefined where none has it (a setting that was removed since): then nothing may pass. */
  get(name: string): Policy | undefined;
}

export interface PolicyNeeds {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Token of the objection that stands for "this check gave no answer". */
export const UNAVAILABLE = 'unavailable';

interface Member {
  readonly name: string;
  readonly mode: Exclude<Mode, 'off'>;
  readonly check: Check;
}

const CLEAR: Ruling = Object.freeze({ objection: undefined, observed: [], all: [], erased: false });
const FAULT_LOG_MS = 1000;

/** Builds every policy of `settings`. `checks` must hold each check that they name. */
export function buildPolicies(settings: PolicySettings, checks: readonly WiredCheck[], needs: PolicyNeeds): Policies {
  const wired = new Map(checks.map(check => [check.definition.name, check]));
  const report = faultReporter(needs);
  const policies = new Map<string, Policy>();
  for (const [name, chosen] of settings) {
    const members = chosen.map(({ check, mode, options }): Member => {
      const made = wired.get(check);
      if (made === undefined) throw new Error(`policy ${name} names check ${check}, which is not wired`);
      return { name: check, mode, check: made.create(options) };
    });
    policies.set(name, createPolicy(name, members, report));
  }
  return { names: [...policies.keys()], get: name => policies.get(name) };
}

function createPolicy(name: string, members: readonly Member[], report: (check: string, fault: unknown) => void): Policy {
  const rcptMembers = members.filter(({ check }) => check.rcpt !== undefined);
  const messageMembers = members.filter(({ check }) => check.endOfData !== undefined);
  const unavailable = (check: string, fault: unknown): Objection => {
    report(check, fault);
    return { reply: defer(451, '4.3.0', 'Cannot decide now'), token: UNAVAILABLE, reason: `${check} gave no answer` };
  };
  /** All are started before the first is waited for, in one go; those that answer at once cost no promise. */
  const ask = async (asked: readonly Member[], question: (check: Check) => Verdict | Promise<Verdict>): Promise<Ruling> => {
    const answers = asked.map(({ name: check, check: asks }) => {
      try {
        const answer = question(asks);
        return answer instanceof Promise ? answer.catch(fault => unavailable(check, fault)) : answer;
      } catch (fault) {
        return unavailable(check, fault);
      }
    });
    const findings: Finding[] = [];
    for (const [index, { name: check, mode }] of asked.entries()) {
      const answer = answers[index];
      const objection = answer instanceof Promise ? await answer : answer;
      if (objection !== undefined) findings.push({ ...objection, check, mode });
    }
    return findings.length === 0 ? CLEAR : rule(findings);
  };
  return {
    name,
    modes: new Map(members.map(member => [member.name, member.mode])),
    askRcpt: (rcpt, submission) => ask(rcptMembers, check => check.rcpt?.(rcpt, submission)),
    askMessage: (message, submission) => ask(messageMembers, check => check.endOfData?.(message, submission)),
  };
}

/**
 * The first enforced refusal in registry order is told; only where there is none, the first deferral. A refusal is certain whatever
 * the check that gave no answer would have said, and a sender who is told to try again would only be refused later.
 */
function rule(all: readonly Finding[]): Ruling {
  const enforced = all.filter(({ mode }) => mode === 'enforce');
  return {
    objection: enforced.find(({ reply }) => isRejected(reply)) ?? enforced[0],
    observed: all.filter(({ mode }) => mode === 'observe'),
    all,
    erased: all.some(({ erased, token }) => erased === true || token === UNAVAILABLE),
  };
}

/** Logs why a check gave no answer, once a second for each check: an outage must not fill the disk. */
function faultReporter({ clock, log }: PolicyNeeds): (check: string, fault: unknown) => void {
  const last = new Map<string, { at: number; unlogged: number }>();
  return (check, fault) => {
    const now = clock.now();
    const before = last.get(check);
    if (before !== undefined && now >= before.at && now - before.at < FAULT_LOG_MS) {
      before.unlogged += 1;
      return;
    }
    last.set(check, { at: now, unlogged: 0 });
    const unlogged = before?.unlogged ?? 0;
    if (fault instanceof StoreUnavailable || fault instanceof VaultUnavailable)
      log.warn({ check, why: fault.message, unlogged }, 'check gave no answer');
    else log.error({ check, why: fault instanceof Error ? fault.stack : typeof fault, unlogged }, 'check failed');
  };
}
