import type { Taxonomy, ReadSource } from '../../../engine/api/taxonomies.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';
import { readAllTracks } from '../library/tracks.svelte.ts';
import type { History } from './history.svelte.ts';

interface LabelChange {
  trackId: string;
  labels: string[];
}

/** The taxonomies of the open library, the chosen one, and edits of labels by hand. */
export class Taxonomies {
  list = $state.raw<Taxonomy[]>([]);
  currentId = $state<string | null>(null);
  readonly #libraryId: string;
  #engine: EngineClient;
  #history: History;

  current = $derived(this.list.find((taxonomy) => taxonomy.id === this.currentId) ?? null);

  constructor(libraryId: string, engine: EngineClient, history: History) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#history = history;
  }

  async reload(): Promise<void> {
    this.list = await this.#engine.call('taxonomies.list', { libraryId: this.#libraryId });
    if (!this.current) this.currentId = this.list[0]?.id ?? null;
  }

  async create(source: ReadSource): Promise<Taxonomy> {
    const taxonomy = await this.#engine.call('taxonomies.create', { libraryId: this.#libraryId, source });
    await this.reload();
    this.currentId = taxonomy.id;
    return taxonomy;
  }

  /** Labels tracks from the source again; what was set by hand stays. */
  async refresh(taxonomyId: string): Promise<Taxonomy> {
    const taxonomy = await this.#engine.call('taxonomies.refresh', {
      libraryId: this.#libraryId,
      taxonomyId,
    });
    await this.reload();
    return taxonomy;
  }

  async remove(taxonomyId: string): Promise<void> {
    await this.#engine.call('taxonomies.remove', { libraryId: this.#libraryId, taxonomyId });
    await this.reload();
  }

  /** Sets labels of tracks in the chosen taxonomy; can be undone. */
  async setLabels(trackIds: string[], labels: string[]): Promise<void> {
    await this.#set(trackIds.map((trackId) => ({ trackId, labels })));
  }

  /** Gives tracks the labels that are new in `after` and takes those that are gone; others stay. Can be undone. */
  async changeLabels(trackIds: string[], before: readonly string[], after: readonly string[]): Promise<void> {
    const taxonomyId = this.currentId;
    if (taxonomyId === null) return;
    const added = after.filter((label) => !before.includes(label));
    const scope = { libraryId: this.#libraryId, taxonomyId, experimentId: null };
    const rows = await readAllTracks(this.#engine, scope, { trackIds });
    await this.#set(
      rows.map(({ id, labels }) => ({
        trackId: id,
        labels: labels
          .filter((label) => after.includes(label) || !before.includes(label))
          .concat(added.filter((label) => !labels.includes(label))),
      })),
    );
  }

  async #set(changes: LabelChange[]): Promise<void> {
    const taxonomyId = this.currentId;
    if (taxonomyId === null || changes.length === 0) return;
    const libraryId = this.#libraryId;
    const apply = async (changes: LabelChange[]): Promise<LabelChange[]> => {
      const answer = await this.#engine.call('labels.set', { libraryId, taxonomyId, changes });
      return answer.previous;
    };
    const previous = await apply(changes);
    this.#history.push({
      title: changes.length === 1 ? 'Edit labels' : `Edit labels of ${String(changes.length)} tracks`,
      undo: () => apply(previous),
      redo: () => apply(changes),
    });
  }
}
