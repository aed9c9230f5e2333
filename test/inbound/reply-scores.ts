/** How well short replies are understood, by language: counted over test/inbound/replies, for the test and for `npm run scores`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Classifier } from '../../src/inbound/classify.ts';
import type { Kind } from '../../src/inbound/finding.ts';
import { parseMessage } from '../../src/mail/message.ts';

export type Half = 'held-out' | 'tuned';
/** What a sentence is; `reply`: no opt-out. */
type Expected = 'opt-out' | 'reply' | 'request';

export interface Score {
  optOuts: number;
  /** Of them: recognised as an opt-out or a request, sent to review, and taken for mere replies. */
  found: number;
  doubted: number;
  missed: number;
  others: number;
  /** Of them: wrongly taken for an opt-out, and sent to review. */
  wrong: number;
  reviewed: number;
}

const folder = join(import.meta.dirname, 'replies');

export const replyLanguages = (): readonly string[] => readdirSync(folder).map(file => file.replace('.yaml', ''));

/** As a mail program sends it that answers one of ours. */
export function replyMail(text: string): ReturnType<typeof parseMessage> {
  const head = [
    'From: Jane Doe <jane@corp.example>',
    'To: Bob <bob@acme.example>',
    'Subject: Re: Our offer',
    'In-Reply-To: <1@acme.example>',
    'Message-ID: <2@corp.example>',
    'Date: Mon, 5 Oct 2026 10:00:00 +0000',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
  ];
  return parseMessage(Buffer.from(`${head.join('\r\n')}\r\n\r\n${text.replaceAll('\n', '\r\n')}\r\n`));
}

export function scoreReplies(classifier: Classifier, language: string, half: Half): Score {
  const cases = (
    parse(readFileSync(join(folder, `${language}.yaml`), 'utf8')) as Partial<Record<Half, Partial<Record<Expected, string[]>>>>
  )[half];
  const kinds = (expected: Expected): readonly Kind[] => (cases?.[expected] ?? []).map(text => classifier.classify(replyMail(text)).kind);
  return score(kinds('opt-out'), kinds('reply'));
}

/** Over what opt-outs and what others were taken for. */
export function score(optOuts: readonly Kind[], others: readonly Kind[]): Score {
  const count = (all: readonly Kind[], kinds: readonly Kind[]): number => all.filter(kind => kinds.includes(kind)).length;
  const found = count(optOuts, ['opt-out', 'request', 'unsubscribe']);
  const doubted = count(optOuts, ['review']);
  return {
    optOuts: optOuts.length,
    found,
    doubted,
    missed: optOuts.length - found - doubted,
    others: others.length,
    wrong: count(others, ['opt-out', 'unsubscribe']),
    reviewed: count(others, ['review']),
  };
}

export function sum(scores: readonly Score[]): Score {
  const total: Score = { optOuts: 0, found: 0, doubted: 0, missed: 0, others: 0, wrong: 0, reviewed: 0 };
  for (const one of scores) for (const key of Object.keys(total) as (keyof Score)[]) total[key] += one[key];
  return total;
}

/** Precision: of what was taken for an opt-out, how much was one. Recall: of the opt-outs, how many do not stay mere replies. */
export function scoreRow(name: string, { optOuts, found, doubted, missed, others, wrong, reviewed }: Score): string {
  const percent = (part: number, whole: number): string => (whole === 0 ? '–' : `${Math.floor((part / whole) * 100)} %`);
  const cells = [
    name,
    optOuts,
    found,
    doubted,
    missed,
    others,
    wrong,
    reviewed,
    percent(found, found + wrong),
    percent(found + doubted, optOuts),
  ];
  return `| ${cells.join(' | ')} |`;
}

export const SCORE_HEAD = `| language | opt-outs | found | to review | missed | others | wrongly opt-out | to review | precision | recall |
|-|-|-|-|-|-|-|-|-|-|`;

/** The table of docs/replies.md. */
export function scoreTable(classifier: Classifier, half: Half): string {
  const rows = replyLanguages()
    .map(language => [language, scoreReplies(classifier, language, half)] as const)
    .filter(([, { optOuts, others }]) => optOuts + others > 0);
  return `${[SCORE_HEAD, ...rows.map(([language, one]) => scoreRow(language, one)), scoreRow('all', sum(rows.map(([, one]) => one)))].join('\n')}\n`;
}
