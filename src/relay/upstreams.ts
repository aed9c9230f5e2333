/** The upstreams in use, one for each URL: the default one and those that clients have of their own. */
import { createSmarthost, type SmarthostParts } from './smarthost.ts';
import { type Upstream, UpstreamUnavailable } from './upstream.ts';
import { parseUpstreamUrl } from './url.ts';

export class Upstreams {
  readonly #defaultUrl: string;
  readonly #parts: SmarthostParts;
  readonly #made = new Map<string, Upstream>();
  #closed = false;

  /** `defaultUrl`: for every client without an upstream of its own. */
  constructor(defaultUrl: string, parts: SmarthostParts) {
    this.#defaultUrl = defaultUrl;
    this.#parts = parts;
  }

  /**
   * The upstream of this URL, made on first use; undefined names the default. Nothing is connected yet.
   * @throws UpstreamUnavailable where the URL cannot be read, or after `close`
   */
  for(url: string | undefined): Upstream {
    const text = url ?? this.#defaultUrl;
    const made = this.#made.get(text);
    if (made !== undefined) return made;
    if (this.#closed) throw new UpstreamUnavailable('upstreams are closed', false);
    const target = parseUpstreamUrl(text);
    if ('problem' in target) throw new UpstreamUnavailable(target.problem, false);
    const upstream = createSmarthost(target, this.#parts);
    this.#made.set(text, upstream);
    return upstream;
  }

  /** Verifies the default upstream. @throws UpstreamUnavailable */
  async verify(): Promise<void> {
    await this.for(undefined).verify();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#made.values()].map(upstream => upstream.close()));
  }
}
