import type { DemoName, LibrarySummary } from '../../../engine/api/libraries.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import type { EngineConnection } from './engine.svelte.ts';

/** The libraries Archetone knows. */
export class Libraries {
  list = $state.raw<LibrarySummary[]>([]);
  loaded = $state(false);
  #engine: EngineConnection;

  recent = $derived([...this.list].sort((a, b) => b.openedAt.localeCompare(a.openedAt)));

  constructor(engine: EngineConnection) {
    this.#engine = engine;
  }

  get(libraryId: string): LibrarySummary | undefined {
    return this.list.find((library) => library.id === libraryId);
  }

  async reload(): Promise<void> {
    this.list = await this.#engine.call('libraries.list', {});
    this.loaded = true;
  }

  async openFolder(folder: string): Promise<LibrarySummary> {
    return this.#adopt(await this.#engine.call('libraries.open', { folder }));
  }

  /** How many windows of each track are embedded, from the next import on. */
  async setWindows(library: LibrarySummary, windows: 'all' | number): Promise<LibrarySummary> {
    const folder = library.folders[0];
    if (folder === undefined) return library;
    return this.#adopt(await this.#engine.call('libraries.open', { folder, windows }));
  }

  async openDemo(demo: DemoName): Promise<LibrarySummary> {
    return this.#adopt(await this.#engine.call('libraries.openDemo', { demo }));
  }

  async openKnown(libraryId: string): Promise<LibrarySummary> {
    const folder = this.get(libraryId)?.folders[0];
    try {
      // Opening also notes the time, by which recent libraries are listed.
      if (folder !== undefined) return this.#adopt(await this.#engine.call('libraries.open', { folder }));
    } catch (thrown) {
      // Its folder is away: what is known of it can still be looked at.
      if (!['missing-folder', 'unreadable'].includes(EngineError.from(thrown).code)) throw thrown;
    }
    return this.#adopt(await this.#engine.call('libraries.get', { libraryId }));
  }

  async relink(libraryId: string, folder: string): Promise<LibrarySummary> {
    return this.#adopt(await this.#engine.call('libraries.relink', { libraryId, folder }));
  }

  /** Reads the counts of a library anew. */
  async refresh(libraryId: string): Promise<void> {
    const summary = await this.#engine.call('libraries.get', { libraryId });
    this.list = this.list.map((library) => (library.id === libraryId ? summary : library));
  }

  async remove(libraryId: string): Promise<void> {
    await this.#engine.call('libraries.remove', { libraryId });
    await this.reload();
  }

  #adopt(summary: LibrarySummary): LibrarySummary {
    this.list = [...this.list.filter((library) => library.id !== summary.id), summary];
    return summary;
  }
}
