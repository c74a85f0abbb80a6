import type { EngineClient } from '../../../engine/api/contract.ts';
import type { Job } from '../../../engine/api/jobs.ts';
import type { LibrarySpace } from '../../../engine/api/libraries.ts';
import type { AddedPlaylists, PlaylistInfo, UnmatchedEntry } from '../../../engine/api/playlists.ts';
import type { LearnedSpace, PairMode, SimilarityReadiness } from '../../../engine/api/similarity.ts';

/** Playlists of the open library, and the spaces that were learned from them. */
export class SimilarityLearning {
  playlists = $state.raw<readonly PlaylistInfo[]>([]);
  readiness = $state.raw<SimilarityReadiness | null>(null);
  spaces = $state.raw<readonly LearnedSpace[]>([]);
  /** Spaces in which tracks are embedded. */
  embedded = $state.raw<readonly LibrarySpace[]>([]);
  /** Playlists are being read. */
  reading = $state(false);
  readonly #libraryId: string;
  readonly #engine: EngineClient;
  readonly #wait: (jobId: string) => Promise<Job>;

  constructor(libraryId: string, engine: EngineClient, wait: (jobId: string) => Promise<Job>) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#wait = wait;
  }

  /** The learned space that the library is seen in. */
  current = $derived(this.spaces.find(({ inUse }) => inUse) ?? null);

  /** Only the spaces: what the view shows before anybody asks for playlists. */
  async reloadSpaces(): Promise<void> {
    [this.spaces, this.embedded] = await Promise.all([
      this.#engine.call('similarity.list', this.#scope),
      this.#engine.call('libraries.spaces', this.#scope),
    ]);
  }

  async reload(): Promise<void> {
    [this.playlists, this.readiness, this.spaces, this.embedded] = await Promise.all([
      this.#engine.call('playlists.list', this.#scope),
      this.#engine.call('similarity.readiness', this.#scope),
      this.#engine.call('similarity.list', this.#scope),
      this.#engine.call('libraries.spaces', this.#scope),
    ]);
  }

  /** @throws EngineError when nothing could be read */
  async add(paths: readonly string[]): Promise<AddedPlaylists> {
    return this.#read(() => this.#engine.call('playlists.add', { ...this.#scope, paths: [...paths] }));
  }

  async addFolders(): Promise<AddedPlaylists> {
    return this.#read(() => this.#engine.call('playlists.addFolders', this.#scope));
  }

  async remove(playlistIds: readonly string[]): Promise<void> {
    await this.#engine.call('playlists.remove', { ...this.#scope, playlistIds: [...playlistIds] });
    await this.reload();
  }

  async unmatched(playlistId: string): Promise<UnmatchedEntry[]> {
    return this.#engine.call('playlists.unmatched', { ...this.#scope, playlistId });
  }

  /** Learns, and sees the library in what was learned. @throws EngineError the job’s own, or `cancelled` */
  async learn(title: string, settings: { pairs: PairMode; dim: number; seed: number }): Promise<void> {
    const { jobId } = await this.#engine.call('similarity.learn', { ...this.#scope, title, settings });
    try {
      await this.#wait(jobId);
    } finally {
      await this.reload();
    }
  }

  /** Sees the library in the space of a pack, or (null) in what the learned space it is seen in was learned on. */
  async use(packId: string | null): Promise<void> {
    await this.#engine.call('similarity.use', { ...this.#scope, packId });
    await this.reload();
  }

  async forget(packId: string): Promise<void> {
    await this.#engine.call('similarity.remove', { ...this.#scope, packId });
    await this.reload();
  }

  async #read(work: () => Promise<AddedPlaylists>): Promise<AddedPlaylists> {
    this.reading = true;
    try {
      return await work();
    } finally {
      this.reading = false;
      await this.reload();
    }
  }

  get #scope(): { libraryId: string } {
    return { libraryId: this.#libraryId };
  }
}
