import { join } from 'node:path';
import type { LibrarySummary } from '../api/libraries.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { TrackState } from '../api/tracks.ts';
import { cacheFolderOf } from '../storage/cache-place.ts';
import type { Database } from '../storage/database.ts';
import type { Announce } from './changes.ts';
import { EmbeddingRepository } from './embeddings.ts';
import { ExperimentRepository } from './experiments.ts';
import { Kept } from './kept.ts';
import { LabelRepository } from './labels.ts';
import { ListeningRepository } from './listening.ts';
import { MelodyRepository } from './melodies.ts';
import { MistakeRepository } from './mistakes.ts';
import { PlaylistRepository } from './playlists.ts';
import { PredictionRepository } from './predictions.ts';
import { ProjectionRepository } from './projections.ts';
import { ReductionRepository } from './reductions.ts';
import { SearchIndex } from './search-index.ts';
import { SavedSearchRepository } from './searches.ts';
import { TrackSetRepository } from './sets.ts';
import { SonificationRepository } from './sonifications.ts';
import { SharedSpaceRepository } from './shared-spaces.ts';
import { noLibrary, SpaceRepository, type SpaceFacts } from './spaces.ts';
import { StudyRepository } from './studies.ts';
import type { GroupFacts } from '../../models/evaluation/splits/groups.ts';
import { TagRepository } from './tags.ts';
import { TaxonomyRepository } from './taxonomies.ts';
import { TrackColumns } from './track-columns.ts';
import { TrackRepository } from './tracks.ts';
import { trackStateJoin, trackStateSql } from './track-state.ts';
import { memoryForVectors, type VectorPlace } from './window-rows.ts';

interface LibraryRow {
  id: string;
  name: string;
  folder: string;
  is_demo: number;
  created_at: string;
  opened_at: string;
}

/**
 * A library whose databases are open: what is stored by kind, each kind in its repository. Everything that is kept in
 * memory hangs on it, holds as long as the tables it comes from are not written, and goes when the library is closed.
 */
export class Library {
  readonly id: string;
  /** Holds `library.db` and its backups. */
  readonly dataFolder: string;
  /** Holds what can be made again: `cache.db`, `sonifications/`, `transcodes/`, `covers/`, `decoded/`, `passing/`, `vectors/`; the same, unless it was moved. */
  readonly cacheFolder: string;
  /** `library.db`, with `cache.db` attached as `cache`. */
  readonly db: Database;
  /** For whoever writes past the repositories: an import. */
  readonly announce: Announce;
  readonly spaces: SpaceRepository;
  readonly embeddings: EmbeddingRepository;
  readonly experiments: ExperimentRepository;
  readonly labels: LabelRepository;
  readonly listening: ListeningRepository;
  readonly melodies: MelodyRepository;
  readonly mistakes: MistakeRepository;
  readonly playlists: PlaylistRepository;
  readonly predictions: PredictionRepository;
  readonly projections: ProjectionRepository;
  readonly reductions: ReductionRepository;
  readonly sharedSpaces: SharedSpaceRepository;
  readonly sonifications: SonificationRepository;
  readonly studies: StudyRepository;
  readonly tags: TagRepository;
  readonly taxonomies: TaxonomyRepository;
  readonly tracks: TrackRepository;
  readonly columns: TrackColumns;
  readonly search: SearchIndex;
  readonly searches: SavedSearchRepository;
  readonly sets: TrackSetRepository;
  readonly #summary: Kept<'summary', LibrarySummary>;

  constructor(
    id: string,
    dataFolder: string,
    db: Database,
    announce: Announce = () => undefined,
    vectors: Partial<Omit<VectorPlace, 'folder'>> = {},
  ) {
    this.id = id;
    this.dataFolder = dataFolder;
    this.cacheFolder = cacheFolderOf(dataFolder);
    this.db = db;
    this.announce = announce;
    this.spaces = new SpaceRepository(db);
    this.embeddings = new EmbeddingRepository(db, this.spaces, {
      ...{ folder: this.cacheFolder, inMemory: memoryForVectors, note: () => undefined },
      ...vectors,
    });
    this.experiments = new ExperimentRepository(db, this.spaces, announce);
    this.labels = new LabelRepository(db, announce);
    this.listening = new ListeningRepository(db);
    this.melodies = new MelodyRepository(db, announce);
    this.mistakes = new MistakeRepository(db, announce);
    this.playlists = new PlaylistRepository(db, () => this.folder(), announce);
    this.predictions = new PredictionRepository(db, announce);
    this.projections = new ProjectionRepository(db);
    this.reductions = new ReductionRepository(db, this.spaces, announce);
    this.sharedSpaces = new SharedSpaceRepository(db);
    this.sonifications = new SonificationRepository(db, this.cacheFolder);
    this.studies = new StudyRepository(db, this.spaces, announce);
    this.tags = new TagRepository(db, announce);
    this.taxonomies = new TaxonomyRepository(db, this.labels, announce);
    this.search = new SearchIndex(db);
    this.searches = new SavedSearchRepository(db);
    this.sets = new TrackSetRepository(db, announce);
    this.tracks = new TrackRepository(db, this, this, announce);
    this.columns = new TrackColumns(db, this.labels, this.experiments);
    this.#summary = new Kept(db, ['library', 'spaces', 'tracks', 'embeddings'], 1);
  }

  /** Absolute path of the music folder. */
  folder(): string {
    return this.#row().folder;
  }

  packId(): string {
    return this.space().packId;
  }

  /** Which windows of a track are embedded. */
  windows(): 'all' | number {
    return this.space().windows;
  }

  /** The space the library is seen in. */
  space(): SpaceInfo {
    return this.spaces.current();
  }

  /** What decides how tracks may be split: copies that _Mistakes_ found of one recording stay together, whatever their bytes. */
  groupFacts(): GroupFacts[] {
    const copies = new Map(
      this.mistakes
        .copies(this.space().key)
        .flatMap((trackIds) => trackIds.map((id) => [id, trackIds[0]] as const)),
    );
    return this.tracks.groupFacts().map((facts) => ({ ...facts, copies: copies.get(facts.id) }));
  }

  /** Absolute path of a track's file. */
  absolutePath(trackPath: string): string {
    return join(this.folder(), ...trackPath.split('/'));
  }

  moveTo(folder: string): void {
    this.db.prepare('UPDATE library SET folder = ?').run([folder]);
  }

  /**
   * Sees the library in another space. Nothing is lost: what is embedded in it already is ready at once, the rest waits
   * for the next import, and the embeddings of the other spaces are kept.
   */
  use(space: SpaceFacts): SpaceInfo {
    return this.db.transaction(() => {
      const used = this.spaces.add(space);
      this.db.prepare('UPDATE library SET space = ?').run([used.key]);
      return used;
    })();
  }

  /** Deletes what was removed before the library was opened: until then removing can be undone. */
  purge(): void {
    this.db.prepare('DELETE FROM studies WHERE removed_at IS NOT NULL').run();
    this.db.prepare('DELETE FROM reductions WHERE removed_at IS NOT NULL').run();
    this.melodies.purge();
  }

  touch(): void {
    this.db.prepare('UPDATE library SET opened_at = ?').run([new Date().toISOString()]);
  }

  summary(): LibrarySummary {
    return this.#summary.get('summary', () => this.#summarise());
  }

  /** Nothing may be asked of it any more. */
  close(): void {
    this.embeddings.close();
    this.db.close();
  }

  #summarise(): LibrarySummary {
    const settings = this.#row();
    const space = this.space();
    const tracks = { total: 0, ready: 0, failed: 0, pending: 0, missing: 0 };
    let windowCount = 0;
    let durationSeconds = 0;
    const rows = this.db
      .prepare<{ state: TrackState; tracks: number; windows: number; seconds: number }>(
        `SELECT ${trackStateSql} AS state, COUNT(*) AS tracks, TOTAL(e.count) AS windows,
                TOTAL(t.duration_seconds) AS seconds
           FROM tracks t ${trackStateJoin} GROUP BY 1`,
      )
      .all([space.key]);
    for (const row of rows) {
      tracks[row.state] = row.tracks;
      tracks.total += row.tracks;
      if (row.state === 'ready') windowCount = row.windows;
      if (row.state !== 'missing') durationSeconds += row.seconds;
    }
    return {
      problem: null,
      id: this.id,
      name: settings.name,
      folders: [settings.folder],
      dataFolder: this.dataFolder,
      packId: space.packId,
      windows: space.windows,
      space,
      tracks,
      windowCount,
      durationSeconds,
      isDemo: settings.is_demo === 1,
      createdAt: settings.created_at,
      openedAt: settings.opened_at,
    };
  }

  #row(): LibraryRow {
    const row = this.db.prepare<LibraryRow>('SELECT * FROM library').get();
    if (row) return row;
    throw noLibrary(this.db.path);
  }
}
