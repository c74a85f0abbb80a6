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
    // What is undone and done again is another set of the same name.
    let setId = saved.id;
    this.#history.push({
      title: `Save the set “${saved.name}”`,
      undo: () => this.#remove(setId),
      redo: async () => {
        setId = (await this.#save(name, trackIds)).id;
      },
    });
    return saved;
  }

  async rename({ id: setId, name: before }: TrackSet, name: string): Promise<void> {
    const rename = async (to: string): Promise<void> => {
      await this.#engine.call('sets.rename', { libraryId: this.#libraryId, setId, name: to });
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
    let setId = id;
    let trackIds = await this.#remove(setId);
    this.#history.push({
      title: `Remove the set “${name}”`,
      undo: async () => {
        setId = (await this.#save(name, trackIds)).id;
      },
      redo: async () => {
        trackIds = await this.#remove(setId);
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
        ...{ libraryId: this.#libraryId, setId },
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

  async #remove(setId: string): Promise<string[]> {
    const { trackIds } = await this.#engine.call('sets.remove', { libraryId: this.#libraryId, setId });
    await this.reload();
    return trackIds;
  }
}
