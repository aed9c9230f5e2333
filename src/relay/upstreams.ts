/** The upstreams in use, one for each URL: the default one and those that clients have of their own. */
import type { Metrics } from '../ops/metrics.ts';
import { measuredUpstream } from './measured.ts';
import { createSmarthost, type SmarthostParts } from './smarthost.ts';
import { type Upstream, UpstreamUnavailable } from './upstream.ts';
import { parseUpstreamUrl } from './url.ts';

export class Upstreams {
  readonly #defaultUrl: string;
  readonly #parts: SmarthostParts;
  readonly #metrics: Pick<Metrics, 'upstream'> | undefined;
  readonly #made = new Map<string, Upstream>();
  #closed = false;

  /** `defaultUrl`: for every client without an upstream of its own. `metrics`: told how long each transaction took. */
  constructor(defaultUrl: string, parts: SmarthostParts, metrics?: Pick<Metrics, 'upstream'>) {
    this.#defaultUrl = defaultUrl;
    this.#parts = parts;
    this.#metrics = metrics;
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
    const smarthost = createSmarthost(target, this.#parts);
    const upstream = this.#metrics === undefined ? smarthost : measuredUpstream(smarthost, this.#metrics);
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
