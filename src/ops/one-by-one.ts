/** Work that must not overlap: one after the other for each name, within this process. */
export class OneByOne {
  /** By name: the work that came last. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does the work when all that came before it under this name is done, well or not. Work must not wait for work of its own name. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#last.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === mine) this.#last.delete(name);
    }
  }
}
