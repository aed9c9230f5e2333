/** The phrase tables made ready: what names a privacy policy, and what offers to opt out. */
import { type Static, Type } from 'typebox';
import { compileAfter, compilePhrases, compileWhole, fold, sentences } from '../mail/phrases.ts';
import { LINK_MARK } from '../mail/visible.ts';
import { readTable } from '../ops/table.ts';

const phrases = Type.Array(Type.String({ minLength: 2 }));
const some = Type.Array(Type.String({ minLength: 2 }), { minItems: 1 });

/** config/privacy-phrases.yaml. */
export const privacyTable = Type.Array(
  Type.Object({ language: Type.String(), anywhere: phrases, whole: phrases, samples: some, not: some }, { additionalProperties: false }),
);

/** config/opt-out-phrases.yaml. */
export const optOutTable = Type.Object(
  {
    addresses: some,
    languages: Type.Array(
      Type.Object(
        {
          language: Type.String(),
          here: some,
          link: some,
          whole: phrases,
          wish: some,
          reply: some,
          never: phrases,
          samples: Type.Object({ links: some, linked: some, replies: some }, { additionalProperties: false }),
          not: some,
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);

/** Whether a link's words name a privacy policy. */
export type NamesPolicy = (label: string) => boolean;

/** What offers to opt out. */
export interface OptOutWords {
  /** By a link's words, or by its address. */
  byLink(label: string, href: string): boolean;
  /** By a sentence that holds a link (LINK_MARK, or an address), or by one that asks for a reply. */
  inText(text: string): { readonly link: boolean; readonly sentence: boolean };
}

/** Words of a link that names something; longer ones are a paragraph. */
const MAX_LABEL = 150;
/** Of a question and the sentence after it, the offer is short. */
const MAX_ANSWER = 250;

/** An address in text. */
const ADDRESS = /https?:\/\/|mailto:/;

/** @throws Error where the table is damaged */
export function loadPolicyNames(): NamesPolicy {
  const table = readTable('privacy-phrases', privacyTable);
  const anywhere = compilePhrases(table.flatMap(entry => entry.anywhere));
  const whole = compileWhole(table.flatMap(entry => entry.whole));
  return label => {
    if (label.length > MAX_LABEL) return false;
    const words = fold(label);
    return anywhere?.test(words) === true || whole?.test(words) === true;
  };
}

interface Language {
  readonly link: RegExp | undefined;
  /** A link that begins with a pointing word. */
  readonly pointer: RegExp | undefined;
  readonly wish: RegExp | undefined;
  readonly reply: RegExp | undefined;
}

/** @throws Error where the table is damaged */
export function loadOptOutWords(): OptOutWords {
  const table = readTable('opt-out-phrases', optOutTable);
  const languages = table.languages.map(compileLanguage);
  const whole = compileWhole(table.languages.flatMap(entry => entry.whole));
  // Of all languages: neighbours share the words, and one's false friend must not be the other's offer.
  const never = compilePhrases(table.languages.flatMap(entry => entry.never));
  const address = addressPattern(table.addresses);
  return {
    byLink(label, href) {
      const words = fold(label);
      const named = words.length <= MAX_LABEL && never?.test(words) !== true;
      if (named && (whole?.test(words) === true || languages.some(({ link }) => link?.test(words) === true))) return true;
      return address.test(fold(href));
    },
    inText(text) {
      const all = sentences(fold(text)).map(sentence => (never?.test(sentence) === true ? '' : sentence));
      return {
        link: languages.some(({ link, pointer }) => joined(all, link, pointer) || joined(all, link, ADDRESS)),
        sentence: languages.some(({ wish, reply }) => joined(all, wish, reply)),
      };
    },
  };
}

function compileLanguage({ here, link, wish, reply }: Static<typeof optOutTable>['languages'][number]): Language {
  return { link: compilePhrases(link), pointer: compileAfter(LINK_MARK, here), wish: compilePhrases(wish), reply: compilePhrases(reply) };
}

/** Whether one sentence says what and how, or a question what ("No more mails?") and the short sentence after it how ("Just say so."). */
function joined(all: readonly string[], what: RegExp | undefined, how: RegExp | undefined): boolean {
  return all.some((sentence, index) => {
    if (what?.test(sentence) !== true) return false;
    if (how?.test(sentence) === true) return true;
    const next = all[index + 1] ?? '';
    return /\?["')\]]*$/.test(sentence) && next.length <= MAX_ANSWER && how?.test(next) === true;
  });
}

/** A part of an address between signs: `/unsubscribe?`, `action=opt-out`, `mailto:unsubscribe@`; not `/lower-your-unsubscribe-rate`. */
function addressPattern(parts: readonly string[]): RegExp {
  const words = parts.map(part => part.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')).join('|');
  return new RegExp(`[/?&=.@_:#;+](?:${words})(?:[/?&=.@_:#;+]|$)`);
}
