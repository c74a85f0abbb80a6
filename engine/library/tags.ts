import * as z from 'zod';
import type { KeptTags } from '../api/tags.ts';
import { tagName } from '../api/tags.ts';
import type { Database } from '../storage/database.ts';
import type { Announce } from './changes.ts';
import { Kept } from './kept.ts';

/** Who said it. `key`: of all that has a part in what it says. */
export interface TaggerFacts {
  packId: string;
  headId: string | null;
  key: string;
  title: string;
  classes: readonly string[];
  positive: string | null;
}

/** Where the means of a tag lie. */
export interface TagPlace {
  /** Row of `cache.taggers`. */
  tagger: number;
  /** Place of the first of its four bytes in the blob, from 1 as SQLite counts. */
  from: number;
}

/** A tag that can be searched for, under its short name and its whole one. */
export interface KnownTag extends TagPlace {
  tag: string;
  /** As {@link tagName} writes it. */
  name: string;
}

export interface TrackMeans {
  trackId: string;
  /** Of the file that was heard. */
  contentHash: string | null;
  /** In the order of the classes. */
  means: Float32Array;
}

interface TaggerRow {
  id: number;
  pack_id: string;
  head_id: string;
  title: string;
  classes: string;
  positive: string | null;
}

const classesSchema = z.array(z.string());
const BYTES = 4;

/**
 * Numbers as bytes that SQLite compares as it would the numbers, so that a table of all tracks is sorted and filtered by one
 * tag without reading the others into JavaScript: float32, the most significant byte first, with the sign bit turned round,
 * or all bits of negative numbers.
 */
export function sortable(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) {
    // −0 is 0.
    view.setFloat32(i * BYTES, (values[i] ?? 0) + 0);
    const bits = view.getUint32(i * BYTES);
    view.setUint32(i * BYTES, bits >>> 31 === 1 ? ~bits : bits | 0x80000000);
  }
  return bytes;
}

/** The number that {@link sortable} wrote at a place. */
export function fromSortable(bytes: ArrayBuffer, place: number): number {
  const view = new DataView(new ArrayBuffer(BYTES));
  const bits = new DataView(bytes).getUint32(place * BYTES);
  view.setUint32(0, bits >>> 31 === 1 ? bits & 0x7fffffff : ~bits);
  return view.getFloat32(0);
}

/** The row of means beside a track `t`. Parameter: a tagger. */
export const tagMeansJoin =
  'LEFT JOIN cache.tag_means g ON g.tagger = ? AND g.track_id = t.id AND g.content_hash IS t.content_hash';

/** What taggers heard in the tracks of a library: the means of their predictions. */
export class TagRepository {
  readonly #db: Database;
  readonly #announce: Announce;
  readonly #known: Kept<'all', ReadonlyMap<string, KnownTag>>;
  /** Counting goes through all tracks, and is asked for with every letter of a search. */
  readonly #lists: Kept<'all', KeptTags[]>;

  constructor(db: Database, announce: Announce) {
    this.#db = db;
    this.#announce = announce;
    this.#known = new Kept(db, ['taggers'], 1);
    this.#lists = new Kept(db, ['taggers', 'tag_means', 'tracks'], 1);
  }

  /**
   * Keeps what a tagger heard in tracks, in place of what it, or another of its name, said of them before. Means that are no
   * numbers are not kept.
   */
  keep(tagger: TaggerFacts, heard: readonly TrackMeans[]): void {
    const told = heard.filter(({ means }) => means.every(Number.isFinite));
    if (told.length === 0) return;
    this.#db.transaction(() => {
      const id = this.#idOf(tagger);
      const insert = this.#db.prepare(
        `INSERT OR REPLACE INTO cache.tag_means (tagger, track_id, content_hash, means) VALUES (?, ?, ?, ?)`,
      );
      for (const { trackId, contentHash, means } of told)
        insert.run([id, trackId, contentHash, sortable(means)]);
    })();
    this.#announce('tags');
  }

  /** What this tagger heard in a track, of the content that it has; null where it did not. */
  meansOf({ packId, headId, key, classes }: TaggerFacts, trackId: string): Float32Array | null {
    const row = this.#db
      .prepare<{ means: ArrayBuffer }>(
        `SELECT g.means FROM cache.tag_means g JOIN tracks t ON t.id = g.track_id
          WHERE g.track_id = ? AND g.content_hash IS t.content_hash
            AND g.tagger = (SELECT id FROM cache.taggers WHERE pack_id = ? AND head_id = ? AND key = ?)`,
      )
      .get([trackId, packId, headId ?? '', key]);
    return row ? Float32Array.from(classes, (_, place) => fromSortable(row.means, place)) : null;
  }

  /** What is kept, the tagger of most tracks first. */
  list(): KeptTags[] {
    return this.#lists.get('all', () => this.#list());
  }

  #list(): KeptTags[] {
    return this.#db
      .prepare<TaggerRow & { tracks: number }>(
        `SELECT g.*, (SELECT COUNT(*) FROM cache.tag_means m JOIN tracks t ON t.id = m.track_id
                       WHERE m.tagger = g.id AND m.content_hash IS t.content_hash) AS tracks
           FROM cache.taggers g ORDER BY tracks DESC, id`,
      )
      .all()
      .map((row) => ({
        ...{ packId: row.pack_id, headId: row.head_id || null, title: row.title },
        ...{ classes: classesOf(row), positive: row.positive, tracks: row.tracks },
      }));
  }

  /** Forgets what a tagger of this name said that was another one than this. @returns whether there was any */
  forgetOthers({ packId, headId, key }: Pick<TaggerFacts, 'packId' | 'headId' | 'key'>): boolean {
    const other = this.#db
      .prepare<{ id: number }>('SELECT id FROM cache.taggers WHERE pack_id = ? AND head_id = ? AND key <> ?')
      .get([packId, headId ?? '', key]);
    if (!other) return false;
    this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM cache.tag_means WHERE tagger = ?').run([other.id]);
      this.#db.prepare('DELETE FROM cache.taggers WHERE id = ?').run([other.id]);
    })();
    this.#announce('tags');
    return true;
  }

  /** Every tag that can be searched for. */
  known(): KnownTag[] {
    return [...this.#all().values()];
  }

  /** Tags by their short names, with the number of tracks that were heard for them. */
  counts(): { value: string; tracks: number }[] {
    const counts = new Map<string, number>();
    for (const { classes, tracks } of this.list())
      for (const tag of classes) counts.set(tag, Math.max(tracks, counts.get(tag) ?? 0));
    return [...counts].map(([value, tracks]) => ({ value, tracks }));
  }

  /** Where a tag lies, by its whole name, or by its short one in the tagger that has been there longest; null where it is not. */
  find(name: string): TagPlace | null {
    const all = this.#all();
    return all.get(name) ?? [...all.values()].find(({ tag }) => tag === name) ?? null;
  }

  /** Means of some tags by track: those that are not kept are left out. */
  valuesOf(names: readonly string[], trackIds: readonly string[]): Map<string, Record<string, number>> {
    const values = new Map<string, Record<string, number>>();
    const read = this.#db.prepare<{ id: string; value: ArrayBuffer }>(
      `SELECT t.id, substr(g.means, ?, ${String(BYTES)}) AS value
         FROM tracks t JOIN cache.tag_means g
           ON g.tagger = ? AND g.track_id = t.id AND g.content_hash IS t.content_hash
        WHERE t.id IN (SELECT value FROM json_each(?))`,
    );
    for (const name of new Set(names)) {
      const place = this.find(name);
      if (!place) continue;
      for (const { id, value } of read.all([place.from, place.tagger, JSON.stringify(trackIds)]))
        values.set(id, { ...values.get(id), [name]: fromSortable(value, 0) });
    }
    return values;
  }

  #all(): ReadonlyMap<string, KnownTag> {
    return this.#known.get('all', () => {
      const rows = this.#db.prepare<TaggerRow>('SELECT * FROM cache.taggers ORDER BY id').all();
      const tags = rows.flatMap((row) =>
        classesOf(row).map((tag, place) => ({
          ...{ tagger: row.id, from: place * BYTES + 1, tag },
          name: tagName({ packId: row.pack_id, headId: row.head_id || null }, tag),
        })),
      );
      return new Map(tags.map((known) => [known.name, known]));
    });
  }

  #idOf(tagger: TaggerFacts): number {
    this.forgetOthers(tagger);
    const { packId, headId, key, title, classes, positive } = tagger;
    const known = this.#db
      .prepare<{ id: number }>('SELECT id FROM cache.taggers WHERE pack_id = ? AND head_id = ?')
      .get([packId, headId ?? '']);
    if (known) return known.id;
    const [row] = this.#db
      .prepare<{ id: number }>(
        `INSERT INTO cache.taggers (pack_id, head_id, key, title, classes, positive) VALUES (?, ?, ?, ?, ?, ?)
         RETURNING id`,
      )
      .all([packId, headId ?? '', key, title, JSON.stringify(classes), positive]);
    if (!row) throw new Error('SQLite did not say which row was inserted');
    return row.id;
  }
}

// Written by this repository.
const classesOf = ({ classes }: TaggerRow): string[] => classesSchema.parse(JSON.parse(classes));
