/** A message as the checks see it: the octets as received and what one strict reading makes of them. */
import { type Leaf, MAX_VIEWS, readViews, type Views } from './alternatives.ts';
import { decodeExcerpt, decodeLeaf, leafFault, type TextPart } from './decode.ts';
import { duplicateFault, type Field, type FieldSection, readFields } from './fields.ts';
import { type Entity, readStructure } from './mime.ts';

export type { TextPart } from './decode.ts';
export type { Field } from './fields.ts';

export interface Message {
  /** CRLF line ends, exactly as received. */
  readonly octets: Buffer;
  readonly fields: readonly Field[];
  /** All values of a field, in order; `name` in lower case. */
  all(name: string): readonly string[];
  /**
   * Why two readers would see different messages (duplicate fields, undeclared or overlapping boundaries and their kin), or undefined where
   * they agree. A fixed phrase: nothing of the message is in it.
   */
  readonly ambiguity: string | undefined;
  /** The MIME structure. Read on first use, kept: it is what takes longest of a long message. */
  structure(): Entity;
  /** The text parts of all alternatives, each once. Decoded on first use, kept. Empty where there is nothing to read. */
  texts(): readonly TextPart[];
  /**
   * What readers see: each inner list is what one reader is shown together, so that what must be seen has to stand in one of its parts. For
   * mixed[alternative[plain, html], footer] these are [plain, footer] and [html, footer]. Empty where there is nothing to read.
   */
  alternatives(): readonly (readonly TextPart[])[];
  /**
   * As alternatives(), but of each part no more than the first 192 KiB and the last 64 KiB of its octets are decoded, and of all parts together no
   * more than 512 KiB (later ones are empty): for readers who must answer soon, whatever the message.
   * A multipart whose boundary is missing or never appears is taken for text.
   */
  excerpts(): readonly (readonly TextPart[])[];
}

const MAX_EXCERPT = 256 * 1024;
const MAX_EXCERPTS = 512 * 1024;

// RFC 5322 §3.6, RFC 2369 §3, RFC 8058 §3.1: at most one of each. Of several, readers show one, and not the same one.
const ONCE = ['from', 'sender', 'reply-to', 'to', 'cc', 'message-id', 'date', 'subject', 'list-unsubscribe', 'list-unsubscribe-post'];

/**
 * Reads a message. The header is split at once; structure and texts are read on first use and kept. Attachments are neither copied nor
 * decoded. Never throws, whatever the octets; time and memory are linear in them.
 */
export function parseMessage(octets: Buffer): Message {
  return new ReadMessage(octets);
}

class ReadMessage implements Message {
  readonly octets: Buffer;
  readonly fields: readonly Field[];
  readonly #head: FieldSection;
  #byName: Map<string, string[]> | undefined;
  #body: { readonly root: Entity; readonly views: Views; readonly fault: string | undefined } | undefined;
  #ambiguity: { readonly reason: string | undefined } | undefined;
  #alternatives: readonly (readonly TextPart[])[] | undefined;
  #excerpts: readonly (readonly TextPart[])[] | undefined;

  constructor(octets: Buffer) {
    this.octets = octets;
    this.#head = readFields(octets, 0, octets.length);
    this.fields = this.#head.fields;
  }

  all(name: string): readonly string[] {
    return this.#named().get(name) ?? [];
  }

  /** A stranger's header may have a hundred thousand fields, and is asked for many names. */
  #named(): ReadonlyMap<string, readonly string[]> {
    if (this.#byName === undefined) {
      this.#byName = new Map();
      for (const { name, value } of this.fields) {
        const values = this.#byName.get(name);
        if (values === undefined) this.#byName.set(name, [value]);
        else values.push(value);
      }
    }
    return this.#byName;
  }

  get ambiguity(): string | undefined {
    this.#ambiguity ??= { reason: headFault(this.octets, this.#head) ?? this.#read().fault ?? this.#textFault() };
    return this.#ambiguity.reason;
  }

  structure(): Entity {
    return this.#read().root;
  }

  texts(): readonly TextPart[] {
    return [...new Set(this.alternatives().flat())];
  }

  alternatives(): readonly (readonly TextPart[])[] {
    if (this.#alternatives === undefined) {
      const decoded = new Map<Leaf, TextPart>();
      for (const leaf of this.#leaves()) decoded.set(leaf, decodeLeaf(this.octets, leaf));
      this.#alternatives = this.#read().views.views.map(view => view.flatMap(leaf => decoded.get(leaf) ?? []));
    }
    return this.#alternatives;
  }

  excerpts(): readonly (readonly TextPart[])[] {
    if (this.#excerpts === undefined) {
      const decoded = new Map<Leaf, TextPart>();
      let left = MAX_EXCERPTS;
      const views = this.#shownAtAll();
      for (const leaf of new Set(views.flat())) {
        const most = Math.min(MAX_EXCERPT, left);
        decoded.set(leaf, decodeExcerpt(this.octets, leaf, most));
        left -= Math.min(most, leaf.entity.end - leaf.entity.start);
      }
      this.#excerpts = views.map(view => view.flatMap(leaf => decoded.get(leaf) ?? []));
    }
    return this.#excerpts;
  }

  #read(): { readonly root: Entity; readonly views: Views; readonly fault: string | undefined } {
    if (this.#body === undefined) {
      const { root, fault } = readStructure(this.octets, this.#head);
      this.#body = { root, views: readViews(root), fault };
    }
    return this.#body;
  }

  /** The views; of a multipart whose boundary is missing or never appears, its body as it stands. */
  #shownAtAll(): readonly (readonly Leaf[])[] {
    const { root, views } = this.#read();
    const broken = views.views.length === 0 && root.contentType.type.startsWith('multipart/') && root.parts.length === 0;
    return broken ? [[{ type: 'text/plain', entity: root }]] : views.views;
  }

  #leaves(): ReadonlySet<Leaf> {
    return new Set(this.#read().views.views.flat());
  }

  #textFault(): string | undefined {
    if (this.#read().views.overflow) return `more than ${MAX_VIEWS} alternatives`;
    for (const leaf of this.#leaves()) {
      const fault = leafFault(this.octets, leaf);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
}

function headFault(octets: Buffer, head: FieldSection): string | undefined {
  if (head.fault !== undefined) return head.fault;
  if (octets.includes(0)) return 'NUL octet';
  // RFC 5322 §2.1: the body may be missing, blank line and all; but every line has its end.
  if (!head.ended && octets.length > 0 && octets.lastIndexOf('\r\n') !== octets.length - 2) return 'header that never ends';
  const versions = new Set(head.fields.filter(field => field.name === 'mime-version').map(field => bareVersion(field.value)));
  if (versions.size > 1) return 'two mime-version fields that differ';
  return duplicateFault(head.fields, ONCE);
}

/** RFC 2045 §4: comments and blanks are no part of the version. */
function bareVersion(value: string): string {
  return value.replace(/\([^()]*\)|\s/g, '');
}
