import type { Taxonomy, TaxonomySource } from '../../../engine/api/domain.ts';
import type { EngineConnection } from '../shell/engine.svelte.ts';
import type { History } from './history.svelte.ts';

interface LabelChange {
  trackId: string;
  labels: string[];
}

/** The taxonomies of the open library, the chosen one, and edits of labels by hand. */
export class Taxonomies {
  list = $state.raw<Taxonomy[]>([]);
  currentId = $state<string | null>(null);
  #libraryId: string | null = null;
  #engine: EngineConnection;
  #history: History;

  current = $derived(this.list.find((taxonomy) => taxonomy.id === this.currentId) ?? null);

  constructor(engine: EngineConnection, history: History) {
    this.#engine = engine;
    this.#history = history;
  }

  async open(libraryId: string | null): Promise<void> {
    this.#libraryId = libraryId;
    this.list = [];
    this.currentId = null;
    await this.reload();
  }

  async reload(): Promise<void> {
    const libraryId = this.#libraryId;
    if (libraryId === null) return;
    const list = await this.#engine.call('taxonomies.list', { libraryId });
    if (libraryId !== this.#libraryId) return;
    this.list = list;
    if (!this.current) this.currentId = list[0]?.id ?? null;
  }

  async create(source: TaxonomySource): Promise<Taxonomy> {
    const taxonomy = await this.#engine.call('taxonomies.create', { libraryId: this.#open(), source });
    await this.reload();
    this.currentId = taxonomy.id;
    return taxonomy;
  }

  async remove(taxonomyId: string): Promise<void> {
    await this.#engine.call('taxonomies.remove', { libraryId: this.#open(), taxonomyId });
    await this.reload();
  }

  /** Sets labels of tracks in the chosen taxonomy; can be undone. */
  async setLabels(trackIds: string[], labels: string[]): Promise<void> {
    const taxonomyId = this.currentId;
    if (taxonomyId === null || trackIds.length === 0) return;
    const libraryId = this.#open();
    const apply = async (changes: LabelChange[]): Promise<LabelChange[]> => {
      const answer = await this.#engine.call('labels.set', { libraryId, taxonomyId, changes });
      return answer.previous;
    };
    const changes = trackIds.map((trackId) => ({ trackId, labels }));
    const previous = await apply(changes);
    this.#history.push({
      title: trackIds.length === 1 ? 'Edit labels' : `Edit labels of ${String(trackIds.length)} tracks`,
      undo: () => apply(previous),
      redo: () => apply(changes),
    });
  }

  #open(): string {
    if (this.#libraryId === null) throw new Error('no library is open');
    return this.#libraryId;
  }
}
