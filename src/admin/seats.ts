/** How many of a thing may go on at once: so many for one account, so many in all. */
export class Seats {
  readonly #each: number;
  readonly #all: number;
  readonly #taken = new Map<string, number>();
  #count = 0;

  constructor({ each, all }: { readonly each: number; readonly all: number }) {
    this.#each = each;
    this.#all = all;
  }

  /** What gives the seat back (once is enough, twice does no harm); undefined where none is free. */
  take(account: string): (() => void) | undefined {
    const taken = this.#taken.get(account) ?? 0;
    if (taken >= this.#each || this.#count >= this.#all) return undefined;
    this.#taken.set(account, taken + 1);
    this.#count += 1;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#count -= 1;
      const left = (this.#taken.get(account) ?? 1) - 1;
      if (left > 0) this.#taken.set(account, left);
      else this.#taken.delete(account);
    };
  }
}
