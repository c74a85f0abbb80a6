import { join } from 'node:path';
import type { GroupFacts } from '../../models/evaluation/splits/groups.ts';
import type { Peaks, TrackDetail, TrackGroups, TrackPage, TrackRow } from '../api/tracks.ts';
import { EngineError } from '../api/errors.ts';
import { parseSearch, type SearchTerm } from '../api/search-query.ts';
import { isNameField } from '../api/search-fields.ts';
import type { NameField } from '../api/search-fields.ts';
import type { FieldValue, TrackNotes } from '../api/tracks.ts';
import type { ParsedInput } from '../api/contract.ts';
import type { MediaTokens } from '../media.ts';
import type { Database } from '../storage/database.ts';
import type { Announce } from './changes.ts';
import { isShown } from './covers.ts';
import type { EmbeddingRepository } from './embeddings.ts';
import type { ExperimentRepository } from './experiments.ts';
import { Kept } from './kept.ts';
import type { LabelRepository } from './labels.ts';
import type { PredictionRepository } from './predictions.ts';
import type { TrackSetRepository } from './sets.ts';
import type { SearchIndex } from './search-index.ts';
import { foldText } from './search-text.ts';
import type { SpaceRepository } from './spaces.ts';
import type { TagRepository } from './tags.ts';
import { orderSql, type TrackQuery } from './track-list.ts';
import { judgeOf, trackRow, trackRowsSql, type PredictionTruth, type StoredTrack } from './track-row.ts';

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

/** What is known of a track besides its sound. */
export interface DescribedTrack extends Pick<TaggedTrack, 'id' | 'path' | 'genre' | 'artist' | 'album'> {
  title: string;
  comment: string | null;
  /** Name of its picture in `covers/`. */
  cover: string | null;
  /** Why a cover that is there was not taken. */
  coverProblem: string | null;
}

/** What a track's file is, as far as playing it goes. */
export interface TrackFile {
  /** Relative to the music folder, with forward slashes. */
  path: string;
  format: string | null;
  contentHash: string | null;
  sampleRate: number | null;
  /** What was damaged in it. */
  note: string | null;
}

/** What a playlist says of a track. */
export interface ListedTrack {
  id: string;
  path: string;
  title: string;
  artist: string | null;
  durationSeconds: number | null;
}

/** What an export says of a track beyond its row. */
export interface TrackFacts {
  id: string;
  contentHash: string | null;
  sampleRate: number | null;
  channels: number | null;
  bytes: number;
  bpm: number | null;
  musicalKey: string | null;
}

interface DetailRow {
  path: string;
  bytes: number;
  content_hash: string | null;
  sample_rate: number | null;
  channels: number | null;
  bpm: number | null;
  musical_key: string | null;
  comment: string | null;
  cover: string | null;
}

/** What a table of tracks may be sorted and filtered by. */
const ORDERED_BY = [
  'library',
  'tracks',
  'embeddings',
  'track_labels',
  'taxonomies',
  'experiments',
  'predictions',
  'track_sets',
  'track_set_members',
];
/** What an order by tags hangs on besides: others need not be worked out again while tracks are heard. */
const TAGGED_BY = [...ORDERED_BY, 'taggers', 'tag_means'];
const ORDERS = 4;

const coverMimes: Record<string, string> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
};

/** What a track is described with. */
interface Parts {
  spaces: SpaceRepository;
  embeddings: EmbeddingRepository;
  experiments: ExperimentRepository;
  labels: LabelRepository;
  predictions: PredictionRepository;
  search: SearchIndex;
  sets: TrackSetRepository;
  tags: TagRepository;
}

/** Where a library's files lie. */
interface Place {
  cacheFolder: string;
  absolutePath(trackPath: string): string;
}

/** The tracks of a library: each is a file, or one that could not be read. */
export class TrackRepository {
  readonly #db: Database;
  readonly #parts: Parts;
  readonly #place: Place;
  /** Orders of all tracks by query, as row numbers: a table scrolls through one, a player and a map may hold others. */
  readonly #orders: Kept<string, number[]>;
  readonly #tagOrders: Kept<string, number[]>;
  readonly #announce: Announce;

  constructor(db: Database, parts: Parts, place: Place, announce: Announce) {
    this.#db = db;
    this.#parts = parts;
    this.#place = place;
    this.#announce = announce;
    this.#orders = new Kept(db, ORDERED_BY, ORDERS);
    this.#tagOrders = new Kept(db, TAGGED_BY, ORDERS);
  }

  /**
   * One page of a library's tracks. The order of all tracks is worked out once and kept until the library changes, so that
   * pages are quick however far down, and never overlap. Tracks without a value come last; ties are in path order.
   * @throws EngineError `not-found` for an unknown experiment, `bad-input` for a filter that lacks what it filters by
   */
  list(query: TrackQuery): TrackPage {
    const truth = this.#truthOf(query.experimentId);
    const key = JSON.stringify({ ...query, tags: [], offset: 0, limit: 0 });
    const terms = parseSearch(query.search);
    const byTags = query.sort === 'tag' || terms.some(({ kind }) => kind === 'tag');
    const order = (byTags ? this.#tagOrders : this.#orders).get(key, () => this.#order(query, terms, truth));
    const ids = this.#ids(order.slice(query.offset, query.offset + query.limit));
    const tracks = this.#rows(ids, query.taxonomyId, truth);
    if (query.tags.length === 0) return { total: order.length, tracks };
    const means = this.#parts.tags.valuesOf(query.tags, ids);
    return { total: order.length, tracks: tracks.map((row) => ({ ...row, tags: means.get(row.id) ?? {} })) };
  }

  /** @throws EngineError `not-found` */
  get(
    media: MediaTokens,
    query: { trackId: string; taxonomyId: string | null; experimentId: string | null },
  ): TrackDetail {
    const { trackId } = query;
    const row = this.#rows([trackId], query.taxonomyId, this.#truthOf(query.experimentId))[0];
    const more = this.#db
      .prepare<DetailRow>(
        `SELECT path, bytes, content_hash, sample_rate, channels, bpm, musical_key, comment, cover
           FROM tracks WHERE id = ?`,
      )
      .get([trackId]);
    if (!row || !more) throw noTrack(trackId);
    return {
      ...row,
      absolutePath: this.#place.absolutePath(more.path),
      contentHash: more.content_hash,
      sampleRate: more.sample_rate,
      channels: more.channels,
      bytes: more.bytes,
      bpm: more.bpm,
      musicalKey: more.musical_key,
      comment: more.comment,
      coverUrl: more.cover === null ? null : this.#coverUrl(media, more.cover),
      duplicates: this.#duplicates(trackId, more.content_hash),
      windows: this.#parts.embeddings.windowsOf(trackId),
      computedBy: this.#parts.embeddings.computedBy(this.#parts.spaces.current(), [trackId])[0] ?? null,
    };
  }

  /** Null while the track has not been embedded. */
  peaks(trackId: string): Peaks | null {
    const row = this.#db
      .prepare<{ per_second: number; duration_seconds: number; peaks: ArrayBuffer }>(
        'SELECT per_second, duration_seconds, peaks FROM cache.peaks WHERE track_id = ?',
      )
      .get([trackId]);
    if (!row) return null;
    return {
      values: Float32Array.from(new Int8Array(row.peaks), (value) => value / 127),
      perSecond: row.per_second,
      durationSeconds: row.duration_seconds,
    };
  }

  /** @throws EngineError `not-found` */
  file(trackId: string): TrackFile {
    const row = this.#db
      .prepare<TrackFile>(
        `SELECT path, format, content_hash AS contentHash, sample_rate AS sampleRate, note
           FROM tracks WHERE id = ? AND kind = 'file'`,
      )
      .get([trackId]);
    if (row) return row;
    throw noTrack(trackId);
  }

  /** What a track is called; its id where it is gone. */
  nameOf(trackId: string): { title: string; path: string } {
    const row = this.#db
      .prepare<{ title: string | null; path: string }>('SELECT title, path FROM tracks WHERE id = ?')
      .get([trackId]);
    return { title: row?.title ?? row?.path ?? trackId, path: row?.path ?? '' };
  }

  /** What playlists say of every track. */
  listed(): ListedTrack[] {
    return this.#db
      .prepare<ListedTrack>(
        `SELECT id, path, title, artist, duration_seconds AS durationSeconds FROM tracks WHERE kind = 'file'`,
      )
      .all();
  }

  /** All tracks whose files are there, in path order. */
  present(): string[] {
    const rows = this.#db
      .prepare<{ id: string }>(
        `SELECT id FROM tracks WHERE kind = 'file' AND file_state <> 'missing' ORDER BY path`,
      )
      .all();
    return rows.map(({ id }) => id);
  }

  /** Facts of some tracks by id; unknown tracks are left out. */
  facts(trackIds: readonly string[]): Map<string, TrackFacts> {
    const rows = this.#db
      .prepare<TrackFacts>(
        `SELECT id, content_hash AS contentHash, sample_rate AS sampleRate, channels, bytes, bpm,
                musical_key AS musicalKey
           FROM tracks WHERE id IN (SELECT value FROM json_each(?))`,
      )
      .all([JSON.stringify(trackIds)]);
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** The rows of some tracks, in the order asked for; unknown tracks are left out. @throws EngineError `not-found` */
  rows(trackIds: readonly string[], taxonomyId: string | null, experimentId: string | null): TrackRow[] {
    return this.#rows(trackIds, taxonomyId, this.#truthOf(experimentId));
  }

  /** Absolute paths, in the order given. @throws EngineError `not-found` */
  paths(trackIds: readonly string[]): string[] {
    return trackIds.map((id) => this.#place.absolutePath(this.file(id).path));
  }

  /** Leaves tracks out of training, or takes them in again. @returns those that this changed */
  leaveOut(trackIds: readonly string[], leftOut: boolean): string[] {
    const wanted = leftOut ? 1 : 0;
    const changed = this.#db
      .prepare<{ id: string }>(
        `UPDATE tracks SET left_out = ? WHERE left_out <> ? AND id IN (SELECT value FROM json_each(?)) RETURNING id`,
      )
      .all([wanted, wanted, JSON.stringify(trackIds)])
      .map(({ id }) => id);
    this.#announce('tracks');
    return changed;
  }

  /** Notes tracks; tracks that are gone are passed over. @returns what was noted before */
  setNotes(changes: readonly TrackNotes[]): TrackNotes[] {
    const ids = JSON.stringify(changes.map(({ trackId }) => trackId));
    const previous = this.#db
      .prepare<TrackNotes>(
        `SELECT id AS trackId, coalesce(notes, '') AS notes FROM tracks WHERE id IN (SELECT value FROM json_each(?))`,
      )
      .all([ids]);
    const set = this.#db.prepare('UPDATE tracks SET notes = ? WHERE id = ?');
    this.#db.transaction(() => {
      for (const { trackId, notes } of changes) set.run([notes.trim() === '' ? null : notes.trim(), trackId]);
    })();
    this.#announce('tracks');
    return previous;
  }

  /** Those that nothing is learned from. */
  leftOut(): Set<string> {
    const rows = this.#db.prepare<{ id: string }>('SELECT id FROM tracks WHERE left_out = 1').all();
    return new Set(rows.map(({ id }) => id));
  }

  /** How many tracks tags put into groups that a split could tear apart. */
  groups(): TrackGroups {
    const row = this.#db
      .prepare<Record<'tracks' | 'artist' | 'artists' | 'album' | 'albums', number>>(
        `SELECT count(*) AS tracks, count(artist) AS artist, count(DISTINCT artist) AS artists,
                count(album) AS album, count(DISTINCT album) AS albums FROM tracks WHERE kind = 'file'`,
      )
      .get();
    return {
      tracks: row?.tracks ?? 0,
      artist: { tracks: row?.artist ?? 0, groups: row?.artists ?? 0 },
      album: { tracks: row?.album ?? 0, groups: row?.albums ?? 0 },
    };
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

  /** What lies with tracks besides their sound, in path order. */
  described(): DescribedTrack[] {
    return this.#db
      .prepare<Omit<DescribedTrack, 'genre'> & { genre: string }>(
        `SELECT id, path, genre, artist, album, title, comment, cover, cover_problem AS coverProblem FROM tracks WHERE kind = 'file' ORDER BY path`,
      )
      .all()
      .map((row) => ({ ...row, genre: JSON.parse(row.genre) as string[] }));
  }

  /** Name of a track's picture in `covers/`; null where it has none. @throws EngineError `not-found` */
  coverOf(trackId: string): string | null {
    const row = this.#db
      .prepare<{ cover: string | null }>(`SELECT cover FROM tracks WHERE id = ?`)
      .get([trackId]);
    if (row) return row.cover;
    throw noTrack(trackId);
  }

  /** What decides how tracks may be split. */
  groupFacts(): GroupFacts[] {
    return this.#db
      .prepare<GroupFacts>(
        `SELECT id, path, artist, album, content_hash AS contentHash FROM tracks WHERE kind = 'file'`,
      )
      .all();
  }

  /** Values of a field of searches in which a text occurs; the most frequent first. @throws EngineError `not-found` */
  values({ taxonomyId, experimentId, field, partial, limit }: ParsedInput<'tracks.values'>): FieldValue[] {
    const { labels, predictions, search, sets } = this.#parts;
    const truth = this.#truthOf(experimentId);
    const names: Record<NameField, () => FieldValue[]> = {
      label: () => (taxonomyId === null ? [] : labels.counts(taxonomyId)),
      set: () => sets.list().map(({ name, tracks }) => ({ value: name, tracks })),
      pred: () => (truth ? predictions.counts(truth, 'predicted') : []),
      second: () => (truth ? predictions.counts(truth, 'second') : []),
    };
    const all =
      field === 'tag'
        ? this.#parts.tags.counts()
        : isNameField(field)
          ? names[field]()
          : search.valuesOf(field);
    const wanted = foldText(partial);
    return all.filter(({ value }) => foldText(value).includes(wanted)).slice(0, limit);
  }

  #truthOf(experimentId: string | null): PredictionTruth | null {
    return experimentId === null ? null : this.#parts.experiments.truthOf(experimentId);
  }

  /** All tracks of a query in order, as row numbers; the page does not matter for it. */
  #order(query: TrackQuery, terms: SearchTerm[], truth: PredictionTruth | null): number[] {
    const { search, labels, sets, spaces, tags } = this.#parts;
    const { taxonomyId } = query;
    const scope = {
      taxonomyId,
      truth,
      labels: () => (taxonomyId === null ? [] : labels.counts(taxonomyId).map(({ value }) => value)),
      sets: () => sets.list().map(({ name }) => name),
      tags: () => tags.known(),
    };
    const { sql, parameters } = orderSql(query, scope, {
      space: spaces.current().key,
      terms,
      found: search.find(terms),
      sortTag: query.sortTag === null ? null : tags.find(query.sortTag),
    });
    // As one text: a hundred thousand rows would each have to cross from the driver on their own.
    const order = this.#db
      .prepare<{ rows: string }>(`SELECT json_group_array(n) AS rows FROM (${sql})`)
      .get(parameters);
    // Made by SQLite from row numbers.
    return JSON.parse(order?.rows ?? '[]') as number[];
  }

  #ids(rows: readonly number[]): string[] {
    const found = this.#db
      .prepare<{ n: number; id: string }>(
        'SELECT rowid AS n, id FROM tracks WHERE rowid IN (SELECT value FROM json_each(?))',
      )
      .all([JSON.stringify(rows)]);
    const ids = new Map(found.map(({ n, id }) => [n, id]));
    return rows.flatMap((n) => ids.get(n) ?? []);
  }

  /** In the order asked for; unknown tracks are left out. */
  #rows(trackIds: readonly string[], taxonomyId: string | null, truth: PredictionTruth | null): TrackRow[] {
    const { spaces, labels, predictions } = this.#parts;
    const stored = this.#db
      .prepare<StoredTrack>(trackRowsSql)
      .all([spaces.current().key, truth?.experimentId ?? '', JSON.stringify(trackIds)]);
    const byId = new Map(stored.map((track) => [track.id, track]));
    const judge = judgeOf(taxonomyId, truth);
    const own = taxonomyId === null ? null : labels.of(taxonomyId, trackIds);
    const truths = judge ? labels.of(judge.taxonomyId, trackIds) : null;
    const predicted = truth?.multilabel ? predictions.labelsOf(truth.experimentId, trackIds) : null;
    return trackIds.flatMap((id) => {
      const track = byId.get(id);
      if (!track) return [];
      const about = { labels: own?.get(id), predicted: predicted?.get(id), truth: truths?.get(id) };
      return [trackRow(track, about, judge)];
    });
  }

  /** Of the tracks that have a picture. */
  covers(media: MediaTokens, trackIds: readonly string[]): { trackId: string; url: string }[] {
    return this.#db
      .prepare<{ id: string; cover: string }>(
        'SELECT id, cover FROM tracks WHERE cover IS NOT NULL AND id IN (SELECT value FROM json_each(?))',
      )
      .all([JSON.stringify(trackIds)])
      .flatMap(({ id, cover }) => {
        const url = this.#coverUrl(media, cover);
        return url === null ? [] : [{ trackId: id, url }];
      });
  }

  #coverUrl(media: MediaTokens, name: string): string | null {
    const mime = coverMimes[name.slice(name.lastIndexOf('.') + 1)];
    return mime === undefined || !isShown(name)
      ? null
      : media.urlFor(join(this.#place.cacheFolder, 'covers', name), mime);
  }

  #duplicates(trackId: string, contentHash: string | null): string[] {
    if (contentHash === null) return [];
    return this.#db
      .prepare<{ id: string }>(
        `SELECT id FROM tracks WHERE content_hash = ? AND id <> ? AND file_state <> 'missing' ORDER BY path`,
      )
      .all([contentHash, trackId])
      .map((row) => row.id);
  }
}

function noTrack(trackId: string): EngineError {
  return new EngineError(
    'not-found',
    `There is no track ${trackId}.`,
    'The library may have been imported again since.',
  );
}
