import type { GroupFacts } from '../../models/evaluation/splits/groups.ts';
import type { Database } from '../storage/database.ts';

/** What a file's name and tags say of a track. */
export interface TaggedTrack {
  id: string;
  /** Relative to the music folder, with forward slashes. */
  path: string;
  genre: readonly string[];
  artist: string | null;
  album: string | null;
  year: number | null;
  key: string | null;
}

/** The tracks of a library. */
export class TrackRepository {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** What labels can be made from, in path order. */
  tagged(): TaggedTrack[] {
    return this.#db
      .prepare<Omit<TaggedTrack, 'genre'> & { genre: string }>(
        `SELECT id, path, genre, artist, album, year, musical_key AS key FROM tracks WHERE kind = 'file' ORDER BY path`,
      )
      .all()
      .map((row) => ({ ...row, genre: JSON.parse(row.genre) as string[] }));
  }

  /** What decides how tracks may be split. */
  groupFacts(): GroupFacts[] {
    return this.#db
      .prepare<GroupFacts>(
        `SELECT id, path, artist, album, content_hash AS contentHash FROM tracks WHERE kind = 'file'`,
      )
      .all();
  }

  /** What a track is called; its id where it is gone. */
  nameOf(trackId: string): { title: string; path: string } {
    const row = this.#db
      .prepare<{ title: string | null; path: string }>('SELECT title, path FROM tracks WHERE id = ?')
      .get([trackId]);
    return { title: row?.title ?? row?.path ?? trackId, path: row?.path ?? '' };
  }
}
