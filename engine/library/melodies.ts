import { createHash } from 'node:crypto';
import {
  LONGEST_MELODY_NAME,
  MOST_MELODIES,
  type KeptMelody,
  type MelodyLearning,
  type MelodySource,
} from '../api/melodies.ts';
import { COUNTED_BPM, type Note } from '../api/melody.ts';
import { EngineError } from '../api/errors.ts';
import { newId } from '../identifier.ts';
import { toBlob, type Database } from '../storage/database.ts';
import type { Announce } from './changes.ts';

/** Notes that all melodies of a library may have together: each of them is learned from. */
const MOST_NOTES_TOGETHER = 300_000;
/** What was learned that is kept: of the melodies as they are, and as they were before something was undone. */
const LEARNED_KEPT = 3;

export interface NewMelody {
  name: string;
  source: MelodySource;
  from: string | null;
  /** Null: none of its own. */
  beatsPerMinute: number | null;
  /** In order. */
  notes: readonly Note[];
  seconds: number;
}

/** What was learned, with the graph of the LSTM where there is one. */
export interface StoredLearning {
  learning: MelodyLearning;
  graph: Uint8Array | null;
}

const COLUMNS = `id, name, source, source_name AS "from", note_count AS notes, seconds,
  NULLIF(beats_per_minute, 0) AS beatsPerMinute, created_at AS createdAt`;

/** The melodies of a library. Removing one can be undone until the library is opened again. */
export class MelodyRepository {
  readonly #db: Database;
  readonly #announce: Announce;

  constructor(db: Database, announce: Announce) {
    this.#db = db;
    this.#announce = announce;
  }

  /** Newest first. */
  list(): KeptMelody[] {
    return this.#db
      .prepare<KeptMelody>(
        `SELECT ${COLUMNS} FROM melodies WHERE removed_at IS NULL ORDER BY created_at DESC, rowid DESC`,
      )
      .all();
  }

  /** @throws EngineError `not-found` */
  get(melodyId: string): KeptMelody {
    const found = this.#db
      .prepare<KeptMelody>(`SELECT ${COLUMNS} FROM melodies WHERE id = ? AND removed_at IS NULL`)
      .get([melodyId]);
    if (found) return found;
    throw new EngineError('not-found', 'There is no such melody.', 'It may have been removed.');
  }

  /** @throws EngineError `not-found` */
  notes(melodyId: string): Note[] {
    this.get(melodyId);
    const row = this.#db
      .prepare<{ notes: string }>('SELECT notes FROM melodies WHERE id = ?')
      .get([melodyId]);
    return notesOf(row?.notes ?? '[]');
  }

  /** All of them as they are now, in the order in which they were kept; their notes are read when they are asked for. */
  all(): { notes: () => Note[]; count: number; beatsPerMinute: number }[] {
    return this.#db
      .prepare<{ notes: string; count: number; bpm: number }>(
        `SELECT notes, note_count AS count, beats_per_minute AS bpm FROM melodies
          WHERE removed_at IS NULL ORDER BY rowid`,
      )
      .all()
      .map(({ notes, count, bpm }) => ({
        notes: () => notesOf(notes),
        count,
        beatsPerMinute: bpm === 0 ? COUNTED_BPM : bpm,
      }));
  }

  /** A digest of what is learned from: another one, other melodies. Null without melodies. */
  digest(): string | null {
    const rows = this.#db
      .prepare<{ digest: string }>('SELECT digest FROM melodies WHERE removed_at IS NULL ORDER BY rowid')
      .all();
    if (rows.length === 0) return null;
    return createHash('sha256')
      .update(rows.map(({ digest }) => digest).join())
      .digest('hex');
  }

  /**
   * Keeps a melody, under its name or that with a number behind it.
   * @returns the one that has the same notes where there is one: `known`
   * @throws EngineError `bad-input` for more than a library keeps
   */
  keep({ name, source, from, beatsPerMinute, notes, seconds }: NewMelody): {
    melody: KeptMelody;
    known: boolean;
  } {
    const text = JSON.stringify(
      notes.map((note) => [note.onsetSeconds, note.durationSeconds, note.midiPitch, note.velocity]),
    );
    const digest = createHash('sha256')
      .update(`${beatsPerMinute ?? 0} ${text}`)
      .digest('hex');
    const same = this.#db
      .prepare<{ id: string }>('SELECT id FROM melodies WHERE digest = ? AND removed_at IS NULL')
      .get([digest]);
    if (same) return { melody: this.get(same.id), known: true };
    this.#requireRoom(1, notes.length);
    const id = newId();
    this.#db
      .prepare(
        `INSERT INTO melodies (id, name, source, source_name, beats_per_minute, digest, notes, note_count, seconds, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run([
        ...[id, this.#free(name, id), source, from, beatsPerMinute ?? 0, digest, text, notes.length, seconds],
        new Date().toISOString(),
      ]);
    this.#announce('melodies');
    return { melody: this.get(id), known: false };
  }

  /** @throws EngineError `not-found`; `bad-input` for a name that is taken */
  rename(melodyId: string, name: string): KeptMelody {
    this.get(melodyId);
    if (this.#taken(name, melodyId))
      throw new EngineError(
        'bad-input',
        `A melody is called “${name}” already.`,
        'Give this one another name.',
      );
    this.#db.prepare('UPDATE melodies SET name = ? WHERE id = ?').run([name, melodyId]);
    this.#announce('melodies');
    return this.get(melodyId);
  }

  /** @throws EngineError `not-found`: then none is removed */
  remove(melodyIds: readonly string[]): void {
    this.#db.transaction(() => {
      for (const id of melodyIds) {
        this.get(id);
        this.#mark(id, new Date().toISOString());
      }
    })();
    this.#announce('melodies');
  }

  /** @throws EngineError `not-found` for what is gone for good; `bad-input` for more than a library keeps */
  restore(melodyIds: readonly string[]): void {
    this.#db.transaction(() => {
      for (const id of melodyIds) {
        const row = this.#db
          .prepare<{ name: string; notes: number }>(
            'SELECT name, note_count AS notes FROM melodies WHERE id = ? AND removed_at IS NOT NULL',
          )
          .get([id]);
        if (!row) {
          // What is there needs nothing.
          this.get(id);
          continue;
        }
        this.#requireRoom(1, row.notes);
        this.#db.prepare('UPDATE melodies SET name = ? WHERE id = ?').run([this.#free(row.name, id), id]);
        this.#mark(id, null);
      }
    })();
    this.#announce('melodies');
  }

  /** Deletes what was removed. */
  purge(): void {
    this.#db.prepare('DELETE FROM melodies WHERE removed_at IS NOT NULL').run();
  }

  /** What was learned from melodies with this digest. */
  learned(digest: string): StoredLearning | null {
    const row = this.#db
      .prepare<{ learned: string; graph: ArrayBuffer | null }>(
        'SELECT learned, graph FROM cache.melody_models WHERE digest = ?',
      )
      .get([digest]);
    if (!row) return null;
    return {
      // Written by `keepLearned`.
      learning: JSON.parse(row.learned) as MelodyLearning,
      graph: row.graph && new Uint8Array(row.graph),
    };
  }

  /** Keeps what was learned; what was learned long before goes. */
  keepLearned(digest: string, { learning, graph }: StoredLearning): void {
    this.#db.transaction(() => {
      this.#db
        .prepare('INSERT OR REPLACE INTO cache.melody_models (digest, learned, graph) VALUES (?, ?, ?)')
        .run([digest, JSON.stringify(learning), graph && toBlob(graph)]);
      this.#db
        .prepare(
          `DELETE FROM cache.melody_models WHERE rowid NOT IN
             (SELECT rowid FROM cache.melody_models ORDER BY rowid DESC LIMIT ?)`,
        )
        .run([LEARNED_KEPT]);
    })();
    this.#announce('melodies');
  }

  #mark(melodyId: string, removedAt: string | null): void {
    this.#db.prepare('UPDATE melodies SET removed_at = ? WHERE id = ?').run([removedAt, melodyId]);
  }

  #requireRoom(melodies: number, notes: number): void {
    const there = this.#db
      .prepare<{ melodies: number; notes: number }>(
        'SELECT count(*) AS melodies, total(note_count) AS notes FROM melodies WHERE removed_at IS NULL',
      )
      .get();
    if (
      (there?.melodies ?? 0) + melodies <= MOST_MELODIES &&
      (there?.notes ?? 0) + notes <= MOST_NOTES_TOGETHER
    )
      return;
    throw new EngineError(
      'bad-input',
      `A library keeps ${MOST_MELODIES} melodies with ${MOST_NOTES_TOGETHER} notes together.`,
      'Delete some first.',
    );
  }

  /** The name, or that with the first number behind it that makes it one of its own. */
  #free(name: string, own: string): string {
    for (let n = 1; ; n++) {
      const number = n === 1 ? '' : ` (${n})`;
      const tried = `${name.slice(0, LONGEST_MELODY_NAME - number.length).trimEnd()}${number}`;
      if (!this.#taken(tried, own)) return tried;
    }
  }

  #taken(name: string, own: string): boolean {
    return (
      this.#db
        .prepare<{ id: string }>('SELECT id FROM melodies WHERE name = ? AND id <> ? AND removed_at IS NULL')
        .get([name, own]) !== undefined
    );
  }
}

function notesOf(text: string): Note[] {
  // Written by `keep`.
  return (JSON.parse(text) as [number, number, number, number][]).map(
    ([onsetSeconds, durationSeconds, midiPitch, velocity]) => ({
      ...{ onsetSeconds, durationSeconds, midiPitch, velocity },
    }),
  );
}
