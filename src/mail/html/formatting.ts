/** The list of active formatting elements (HTML standard §13.2.4.3): what an unclosed `<b>` or `<a>` carries over into the next block. */
import type { Attributes } from './tokens.ts';

/** An element that is or was open. */
export interface OpenElement {
  readonly name: string;
  readonly attributes: Attributes;
  readonly parent: OpenElement | undefined;
}

/** §13.2.4.3: of equal elements three are carried on. */
const MAX_EQUAL = 3;

export class Formatting<E extends OpenElement> {
  /** undefined is a marker: what stands before it is out of reach. */
  readonly #entries: (E | undefined)[] = [];

  get size(): number {
    return this.#entries.length;
  }

  mark(): void {
    this.#entries.push(undefined);
  }

  /** Forgets everything since the last marker, and the marker. */
  clear(): void {
    this.#entries.length = Math.max(0, this.#entries.lastIndexOf(undefined));
  }

  add(element: E): void {
    let equal = 0;
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i];
      if (entry === undefined) break;
      if (entry.name !== element.name || entry.attributes.source !== element.attributes.source) continue;
      if (++equal === MAX_EQUAL) this.#entries.splice(i, 1);
    }
    this.#entries.push(element);
  }

  /** The nearest element of that name since the last marker. */
  nearest(name: string): E | undefined {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i];
      if (entry === undefined || entry.name === name) return entry;
    }
    return undefined;
  }

  has(element: E): boolean {
    return this.#entries.includes(element);
  }

  forget(element: E): void {
    const at = this.#entries.lastIndexOf(element);
    if (at >= 0) this.#entries.splice(at, 1);
  }

  replace(element: E, by: E): void {
    const at = this.#entries.indexOf(element);
    if (at >= 0) this.#entries[at] = by;
  }

  /** The elements to open again, in order: those behind the last that is open still. */
  closed(open: readonly E[]): readonly E[] {
    const entries = this.#entries;
    let first = entries.length;
    for (; first > 0; first--) {
      const entry = entries[first - 1];
      if (entry === undefined || open.includes(entry)) break;
    }
    return first === entries.length ? [] : entries.slice(first).filter(entry => entry !== undefined);
  }
}
