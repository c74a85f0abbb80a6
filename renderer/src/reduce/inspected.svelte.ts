import type { Projection } from '../../../engine/api/projection.ts';
import type { GeneratedPrototype, Reduction } from '../../../engine/api/reductions.ts';
import type { LabelsetShare } from '../../../engine/api/studies.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';

/** One reduction looked at closely: its generated prototypes, its labelsets, and its place on the map of the corpus. */
export class InspectedReduction {
  reduction = $state.raw<Reduction | null>(null);
  prototypes = $state.raw<GeneratedPrototype[]>([]);
  labelsets = $state.raw<LabelsetShare[]>([]);
  projection = $state.raw<Projection | null>(null);
  loading = $state(false);
  problem = $state.raw<unknown>(null);
  mapProblem = $state.raw<unknown>(null);
  #stop = new AbortController();
  /** The question whose map is being computed. */
  #mapping: AbortController | null = null;
  #engine: EngineClient;

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  /** Loads what belongs to a reduction; null forgets it. The same reduction again is not loaded again. */
  async show(libraryId: string | null, reduction: Reduction | null): Promise<void> {
    if (reduction !== null && reduction.id === this.reduction?.id && this.problem === null) {
      this.reduction = reduction;
      return;
    }
    this.#stop.abort();
    const stop = (this.#stop = new AbortController());
    this.reduction = reduction;
    this.prototypes = [];
    this.labelsets = [];
    this.projection = null;
    this.problem = null;
    this.mapProblem = null;
    this.loading = reduction !== null;
    if (libraryId === null || reduction === null) return;
    const { signal } = stop;
    const asked = { libraryId, reductionId: reduction.id };
    try {
      const prototypes = await this.#engine.call('reductions.prototypes', asked, { signal });
      if (this.#stop !== stop) return;
      this.prototypes = prototypes;
      // Last: it reads the corpus again, whose file may be gone by now.
      const labelsets = await this.#engine.call('reductions.labelsets', asked, { signal });
      if (this.#stop === stop) this.labelsets = labelsets;
    } catch (thrown) {
      if (this.#stop === stop) this.problem = thrown;
    } finally {
      if (this.#stop === stop) this.loading = false;
    }
  }

  /** Lays out the corpus with the prototypes on it, once. */
  async loadMap(libraryId: string): Promise<void> {
    const { reduction } = this;
    const stop = this.#stop;
    if (!reduction || this.projection || this.#mapping === stop) return;
    this.#mapping = stop;
    this.mapProblem = null;
    const level = reduction.source.kind === 'library' ? reduction.source.level : 'track';
    const asked = { libraryId, reductionId: reduction.id, level };
    try {
      for await (const event of this.#engine.stream('projection.compute', asked, { signal: stop.signal })) {
        if (this.#stop === stop && event.type === 'result') this.projection = event.projection;
      }
    } catch (thrown) {
      if (this.#stop === stop) this.mapProblem = thrown;
    } finally {
      if (this.#mapping === stop) this.#mapping = null;
    }
  }
}
