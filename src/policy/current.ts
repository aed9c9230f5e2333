/** The policies that are asked: built from the book, and built anew when somebody changed one. */
import { StoreUnavailable } from '../store/store.ts';
import type { PolicyBook, PolicyState } from './book.ts';
import { buildPolicies, type Policies, type PolicyNeeds, type WiredCheck } from './policy.ts';

export class CurrentPolicies {
  readonly #book: PolicyBook;
  readonly #checks: readonly WiredCheck[];
  readonly #needs: PolicyNeeds;
  #built: { readonly of: ReadonlyMap<string, PolicyState>; readonly policies: Policies } | undefined;

  /** `checks` must hold each check that the book's definitions name. */
  constructor(book: PolicyBook, checks: readonly WiredCheck[], needs: PolicyNeeds) {
    this.#book = book;
    this.#checks = checks;
    this.#needs = needs;
  }

  /**
   * Those that hold under this version of the global head record: as read with the client's profile, so that it costs no further question where
   * nothing changed. @throws StoreUnavailable where they changed and cannot be read: nobody is held to what held before (law 1)
   */
  async at(version: number): Promise<Policies> {
    const { policies: states } = await this.#book.at(version);
    if (this.#built?.of !== states) {
      const settings = new Map([...states.values()].flatMap(state => (state.settings === undefined ? [] : [[state.name, state.settings]])));
      this.#built = { of: states, policies: buildPolicies(settings, this.#checks, this.#needs) };
    }
    return this.#built.policies;
  }

  /** Builds those that hold now, so that the first sender does not wait for it; where the store is away, the first one after that does. */
  async prepare(): Promise<void> {
    try {
      await this.at((await this.#book.now()).version);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
}
