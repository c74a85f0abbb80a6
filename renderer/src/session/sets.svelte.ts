import { searchValue } from '../../../engine/api/search-fields.ts';
import type { TrackSet } from '../../../engine/api/sets.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';
import { plural } from '../ui/format.ts';
import type { History } from './history.svelte.ts';

/** The search for what is in a set. */
export const searchOfSet = (name: string): string => `set:${searchValue(name)}`;

/** The sets of tracks that the open library keeps under a name; what is done to them can be undone. */
export class TrackSets {
  list = $state.raw<TrackSet[]>([]);
  readonly #libraryId: string;
  readonly #engine: EngineClient;
  readonly #history: History;
  /** What is removed and brought back is another set: its id by the one that steps of the history know. */
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing that is shown depends on it
  readonly #again = new Map<string, string>();

  constructor(libraryId: string, engine: EngineClient, history: History) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#history = history;
  }

  async reload(): Promise<void> {
    this.list = await this.#engine.call('sets.list', { libraryId: this.#libraryId });
  }

  /** Tracks of a set, in the order of their paths. */
  async tracks(setId: string): Promise<string[]> {
    return this.#engine.call('sets.tracks', { libraryId: this.#libraryId, setId });
  }

  /** Keeps tracks under a name. @throws EngineError `bad-input` for one that is taken */
  async save(name: string, trackIds: readonly string[]): Promise<TrackSet> {
    const saved = await this.#save(name, trackIds);
    this.#history.push({
      title: `Save the set “${saved.name}”`,
      undo: () => this.#remove(saved.id),
      redo: () => this.#bringBack(saved.id, name, trackIds),
    });
    return saved;
  }

  async rename({ id: setId, name: before }: TrackSet, name: string): Promise<void> {
    const rename = async (to: string): Promise<void> => {
      const input = { libraryId: this.#libraryId, setId: this.#present(setId), name: to };
      await this.#engine.call('sets.rename', input);
      await this.reload();
    };
    await rename(name);
    this.#history.push({
      title: `Rename the set “${before}”`,
      undo: () => rename(before),
      redo: () => rename(name),
    });
  }

  /** The tracks stay where they are. */
  async remove({ id, name }: TrackSet): Promise<void> {
    let trackIds = await this.#remove(id);
    this.#history.push({
      title: `Remove the set “${name}”`,
      undo: () => this.#bringBack(id, name, trackIds),
      redo: async () => {
        trackIds = await this.#remove(id);
      },
    });
  }

  /** Puts tracks into a set, or takes them out. @returns for how many that changed something */
  async change(
    { id: setId, name }: TrackSet,
    trackIds: readonly string[],
    include: boolean,
  ): Promise<number> {
    const set = async (ids: readonly string[], into: boolean): Promise<string[]> => {
      const { changed } = await this.#engine.call('sets.change', {
        ...{ libraryId: this.#libraryId, setId: this.#present(setId) },
        ...{ trackIds: [...ids], include: into },
      });
      await this.reload();
      return changed;
    };
    const changed = await set(trackIds, include);
    if (changed.length > 0) {
      const tracks = plural(changed.length, 'track');
      this.#history.push({
        title: include ? `Put ${tracks} into “${name}”` : `Take ${tracks} out of “${name}”`,
        undo: () => set(changed, !include),
        redo: () => set(changed, include),
      });
    }
    return changed.length;
  }

  async #save(name: string, trackIds: readonly string[]): Promise<TrackSet> {
    const input = { libraryId: this.#libraryId, name, trackIds: [...trackIds] };
    const saved = await this.#engine.call('sets.save', input);
    await this.reload();
    return saved;
  }

  async #bringBack(setId: string, name: string, trackIds: readonly string[]): Promise<void> {
    const { id } = await this.#save(name, trackIds);
    this.#again.set(this.#present(setId), id);
  }

  #present(setId: string): string {
    const next = this.#again.get(setId);
    return next === undefined ? setId : this.#present(next);
  }

  async #remove(setId: string): Promise<string[]> {
    const input = { libraryId: this.#libraryId, setId: this.#present(setId) };
    const { trackIds } = await this.#engine.call('sets.remove', input);
    await this.reload();
    return trackIds;
  }
}
