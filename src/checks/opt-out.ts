/** Refuses a message that does not tell its reader how to opt out. */
import { type Static, Type } from 'typebox';
import { angleUris } from '../mail/header.ts';
import type { Message } from '../mail/message.ts';
import { type Reply, reject } from '../mail/reply.ts';
import type { Link, Reader } from '../mail/visible.ts';
import { defineCheck } from '../policy/check.ts';
import type { OptOutWords } from './phrase-tables.ts';
import { type View, viewsOf } from './views.ts';

const TOKEN = 'opt-out';

const optOutOptions = Type.Object(
  {
    suffices: Type.Array(Type.Union([Type.Literal('header'), Type.Literal('link'), Type.Literal('sentence')]), {
      minItems: 1,
      uniqueItems: true,
      default: ['header', 'link', 'sentence'],
      description:
        'any of these is enough: `header` (one List-Unsubscribe with https or mailto), `link` (visible in every alternative), `sentence` (visible in every alternative, offering it by reply)',
    }),
  },
  { additionalProperties: false },
);

export type OptOutOptions = Static<typeof optOutOptions>;

export interface OptOutNeeds {
  readonly reader: Reader;
  readonly words: OptOutWords;
}

export const optOut = defineCheck<OptOutOptions, OptOutNeeds>({
  name: TOKEN,
  doc: 'The message tells how to opt out: in its List-Unsubscribe header, or visibly by a link or a sentence in every alternative.',
  promises: ['A15', 'B3'],
  tokens: [{ token: TOKEN, meaning: 'Some reader of the message is not told how to opt out.' }],
  options: optOutOptions,
  defaults: { suffices: ['header', 'link', 'sentence'] },
  create({ suffices }, { reader, words }) {
    const [header, link, sentence] = (['header', 'link', 'sentence'] as const).map(means => suffices.includes(means));
    return {
      endOfData(message) {
        const fault = header ? headerFault(message) : undefined;
        if (header && fault === undefined) return undefined;
        const reasons = fault === undefined ? [] : [fault];
        if (link || sentence) {
          const views = viewsOf(message, reader);
          const missing = views.find(view => !isOffered(view, words, { link: link === true, sentence: sentence === true }));
          if (views.length > 0 && missing === undefined) return undefined;
          reasons.push(missing === undefined ? 'there is no text that a reader is shown' : `${missing.title}: ${explain(missing, words)}`);
        }
        return { reply: refusal(), token: TOKEN, reason: reasons.join('; ') };
      },
    };
  },
});

function refusal(): Reply {
  return reject(554, '5.6.0', `Message may not be sent (${TOKEN})`);
}

/** RFC 2369 §2: one field, angle-bracketed URIs. A bare http one is a link that anybody on the way can read and change. */
function headerFault(message: Message): string | undefined {
  const fields = message.all('list-unsubscribe');
  if (fields.length !== 1) return fields.length === 0 ? 'no List-Unsubscribe field' : `${fields.length} List-Unsubscribe fields`;
  const uris = angleUris(fields[0] ?? '') ?? [];
  const usable = uris.some(uri => (/^https:\/\/[^/]/i.test(uri) && URL.canParse(uri)) || /^mailto:[^@?\s]+@[^@?\s]+/i.test(uri));
  return usable ? undefined : 'List-Unsubscribe holds neither an https nor a mailto address';
}

function isOffered({ links, texts }: View, words: OptOutWords, counts: { readonly link: boolean; readonly sentence: boolean }): boolean {
  if (counts.link && links.some(link => link.hiddenBy === undefined && offersOptOut(link, words))) return true;
  return texts.some(text => {
    const found = words.inText(text);
    return (counts.link && found.link) || (counts.sentence && found.sentence);
  });
}

/** By http too, which many platforms' tracking still uses: it works, and gives nothing away that the mail itself did not. */
function offersOptOut({ label, href }: Link, words: OptOutWords): boolean {
  return /^\s*(?:https?:\/\/|mailto:)[^/?\s]/i.test(href) && words.byLink(label, href);
}

function explain({ links, unreadable }: View, words: OptOutWords): string {
  if (unreadable !== undefined) return unreadable;
  const hidden = links.find(link => link.hiddenBy !== undefined && offersOptOut(link, words));
  return hidden === undefined ? 'no opt-out link or sentence' : `opt-out link present but nobody sees it: ${hidden.hiddenBy}`;
}
