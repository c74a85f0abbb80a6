import type { EmbedderLimits } from './limits.ts';

/** Times the runs of one embedder process. The first run of each kind on a pack has to open its graphs as well. */
export class GraphWatch {
  readonly #limits: EmbedderLimits;
  readonly #opened = new Set<string>();
  #graph: string | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(limits: EmbedderLimits) {
    this.#limits = limits;
  }

  /**
   * @param graph names what runs; null: nothing that stays open
   * @param onLate told once, with the limit that was passed, in seconds
   */
  begin(graph: string | null, onLate: (seconds: number) => void): void {
    const { runMs, openMs } = this.#limits;
    this.#graph = graph;
    const ms = graph !== null && this.#opened.has(graph) ? runMs : runMs + openMs;
    this.#timer = setTimeout(() => onLate(Math.round(ms / 1000)), ms);
  }

  end(opened: boolean): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (opened && this.#graph !== null) this.#opened.add(this.#graph);
  }
}
