/** Which methods a path takes: what a 405 says in Allow (RFC 9110 §15.5.6). */
import type { RouteOptions } from 'fastify';

export class Methods {
  readonly #byPattern = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();

  add({ url, method }: Pick<RouteOptions, 'url' | 'method'>): void {
    const pattern = new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+')}$`);
    const known = this.#byPattern.get(url) ?? { pattern, methods: new Set<string>() };
    for (const one of [method].flat()) known.methods.add(one);
    this.#byPattern.set(url, known);
  }

  /** Of the path of this URL; empty where there is no such path. */
  of(url: string): readonly string[] {
    const path = url.replace(/[?#].*$/s, '');
    return [...new Set([...this.#byPattern.values()].flatMap(({ pattern, methods }) => (pattern.test(path) ? [...methods] : [])))].sort();
  }
}
