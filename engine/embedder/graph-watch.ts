import type { EmbedderLimits } from './limits.ts';
import type { Ask } from './protocol.ts';

/** Times the runs of one embedder process. The first run of each kind on a pack has to open its graphs as well. */
export class GraphWatch {
  readonly #limits: EmbedderLimits;
  readonly #onLate: (seconds: number) => void;
  readonly #opened = new Set<string>();
  #asked = '';
  #timer: NodeJS.Timeout | null = null;

  /** @param onLate told once, with the limit that was passed */
  constructor(limits: EmbedderLimits, onLate: (seconds: number) => void) {
    this.#limits = limits;
    this.#onLate = onLate;
  }

  begin(asked: Ask): void {
    const { runMs, openMs } = this.#limits;
    this.#asked = asked.type === 'run' ? `${asked.pack.sha256} ${asked.pack.provider} ${asked.method}` : '';
    const ms = this.#opened.has(this.#asked) ? runMs : runMs + openMs;
    this.#timer = setTimeout(() => this.#onLate(Math.round(ms / 1000)), ms);
  }

  end(opened: boolean): void {
    this.stop();
    if (opened && this.#asked !== '') this.#opened.add(this.#asked);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
