/** The classifier: tries one kind after the other, and the first to recognise the message wins. */
import { type Message, parseMessage } from '../mail/message.ts';
import { loadAutomatic } from './automatic.ts';
import { loadAutoReply } from './classifiers/auto-reply.ts';
import { loadBounce } from './classifiers/bounce.ts';
import { complaint } from './classifiers/complaint.ts';
import { loadOptOut } from './classifiers/opt-out.ts';
import { loadRequest, loadWantsErasure } from './classifiers/request.ts';
import { unsubscribe } from './classifiers/unsubscribe.ts';
import { type Circumstances, type Classify, type Finding, finding, type Reading } from './finding.ts';
import { loadOwnTexts, type OwnTexts } from './own-text.ts';
import { subjectOf } from './subject.ts';

export interface Classifier {
  /** Never throws; time is bounded whatever the octets. */
  classify(message: Message, circumstances?: Circumstances): Finding;
}

/**
 * The classifier by the tables in config/, and by those of the same names in `folder` (an admin's own, added to ours).
 * @throws Error naming the file and the place in it, where a table is damaged
 */
export function loadClassifier(folder?: string): Classifier {
  const ownTexts = loadOwnTexts(folder);
  const automatic = loadAutomatic(folder);
  // Reports first: they quote what we sent. Then what a person says; last whether a person said it (STANDARDS, Reply language).
  const classifiers: readonly Classify[] = [
    loadBounce(folder),
    complaint,
    unsubscribe,
    // Before the opt-out: a request objects too, and has a clock besides.
    loadRequest(automatic, folder),
    loadOptOut(automatic, folder),
    loadAutoReply(automatic),
  ];
  const wantsErasure = loadWantsErasure(folder);
  const classifier: Classifier = {
    classify(message, circumstances = {}) {
      const reading = new LazyReading(message, circumstances, ownTexts);
      for (const classify of classifiers) {
        const found = classify(reading);
        if (found === undefined) continue;
        return found.kind === 'opt-out' && wantsErasure(found, reading) ? { ...found, request: 'erasure' } : found;
      }
      return finding('reply', { ownText: reading.ownText });
    },
  };
  // Patterns are compiled when first used, and once more when used again: not while mail waits.
  for (let times = 0; times < 2; times += 1) classifier.classify(parseMessage(Buffer.from('Subject: Re: Hello\r\n\r\nHello.\r\n')));
  return classifier;
}

class LazyReading implements Reading {
  readonly message: Message;
  readonly circumstances: Circumstances;
  readonly #read: OwnTexts;
  #subject: string | undefined;
  #ownText: string | undefined;

  constructor(message: Message, circumstances: Circumstances, read: OwnTexts) {
    this.message = message;
    this.circumstances = circumstances;
    this.#read = read;
  }

  get subject(): string {
    this.#subject ??= subjectOf(this.message);
    return this.#subject;
  }

  get ownText(): string {
    this.#ownText ??= this.#read.own(this.message, this.circumstances.sent);
    return this.#ownText;
  }

  get below(): string {
    return this.#read.below(this.message, this.circumstances.sent);
  }
}
