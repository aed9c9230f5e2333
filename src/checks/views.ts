/** What each reader of a message sees: for every alternative, and for desktop Outlook where it reads another document than the rest. */
import { compileHiding, hidingTable } from '../mail/html/hiding.ts';
import type { Message } from '../mail/message.ts';
import { createReader, type Link, type Reader, type Reading } from '../mail/visible.ts';
import { readTable } from '../ops/table.ts';

/** What one reader sees together. */
export interface View {
  /** `text/html alternative 2`, `text/html alternative 2 as Outlook shows it`. */
  readonly title: string;
  readonly links: readonly Link[];
  readonly texts: readonly string[];
  /** Why a part cannot be judged. */
  readonly unreadable: string | undefined;
  /** The parts as written, to tell what is there but seen by nobody. */
  readonly source: string;
}

/** The reader by config/hiding-rules.yaml. @throws Error where it is damaged */
export function loadReader(): Reader {
  return createReader(compileHiding(readTable('hiding-rules', hidingTable)));
}

/** Every view of the message; none where there is nothing to read. */
export function viewsOf(message: Message, reader: Reader): readonly View[] {
  return message.alternatives().flatMap((parts, index) => {
    const types = [...new Set(parts.map(({ type }) => type))].join(' and ');
    const readings = parts.map(part => reader.read(part));
    const source = parts.map(({ text }) => text).join('\n');
    const view = (title: string, seen: readonly Reading[]): View => ({
      title,
      links: seen.flatMap(({ links }) => links),
      texts: seen.map(({ text }) => text),
      unreadable: seen.find(({ unreadable }) => unreadable !== undefined)?.unreadable,
      source,
    });
    const title = `${types} alternative ${index + 1}`;
    const views = [
      view(
        title,
        readings.flatMap(([first]) => first ?? []),
      ),
    ];
    if (readings.some(each => each.length > 1))
      views.push(
        view(
          `${title} as Outlook shows it`,
          readings.flatMap(each => each.at(-1) ?? []),
        ),
      );
    return views;
  });
}
