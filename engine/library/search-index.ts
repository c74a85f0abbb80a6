import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TextField } from '../api/search-fields.ts';
import type { SearchTerm } from '../api/search-query.ts';
import type { Database } from '../storage/database.ts';
import { Kept } from './kept.ts';
import { foldText, foldTexts, matcher } from './search-text.ts';

/** Where the text of a field stands in the table of tracks. */
const columns: Readonly<Record<TextField, string>> = {
  artist: 'artist',
  album: 'album',
  title: 'title',
  genre: 'genre',
  file: 'path',
  comment: 'comment',
  notes: 'notes',
  key: 'musical_key',
  format: 'format',
};

/** The texts of a field: what differs once, and which of them each row has. */
interface Column {
  /** Several for a field that holds several, as they are written and as they are compared. */
  values: { written: string[]; folded: string[] }[];
  /** Place in `values` by row; −1 for none. */
  of: Int32Array;
}

/** The texts that words are looked for in, of some rows that follow each other. */
interface Texts {
  /** One after the other: as one text, through which a search runs as fast as memory is read. */
  joined: string;
  /** Where the text of each row begins, and the end. */
  starts: Int32Array;
}

interface AllTexts {
  parts: Texts[];
  /** Whole texts of the rows with notes, which are kept as they were written, by place. */
  noted: ReadonlyMap<number, string>;
}

interface ReadTexts {
  rows: number[];
  notes: { place: number; text: string }[];
  parts: Texts[];
}

/** Stands between the texts of rows, and in none of them. */
const BETWEEN = '\u0001';
/** Rows that are read at once: all of them would have to be copied several times, each time to memory that is not warm. */
const READ_AT_ONCE = 2000;

/** The texts of all tracks in memory, read at the first search and again when tracks were written. */
export class SearchIndex {
  readonly #db: Database;
  readonly #rows: Kept<'rows', number[]>;
  readonly #texts: Kept<'texts', AllTexts>;
  readonly #columns: Kept<TextField, Column>;

  constructor(db: Database) {
    this.#db = db;
    this.#rows = new Kept(db, ['tracks'], 1);
    this.#texts = new Kept(db, ['tracks'], 1);
    this.#columns = new Kept(db, ['tracks'], Object.keys(columns).length);
  }

  /** Row numbers of the tracks for which every term about text holds; null where there is no such term. */
  find(terms: readonly SearchTerm[]): number[] | null {
    const holding = terms.flatMap((term) => {
      const places = this.#placesOf(term);
      return places === null ? [] : { places, negated: term.negated };
    });
    if (holding.length === 0) return null;
    return this.#allRows().filter((_, i) =>
      holding.every(({ places, negated }) => (places[i] === 1) !== negated),
    );
  }

  /** Values of a field with the number of tracks that have them, the most frequent first. */
  valuesOf(field: TextField): { value: string; tracks: number }[] {
    const { values, of } = this.#column(field);
    const counts = new Uint32Array(values.length);
    for (const place of of) if (place >= 0) counts[place] = (counts[place] ?? 0) + 1;
    const tracks = new Map<string, number>();
    for (const [place, { written }] of values.entries())
      for (const value of written) tracks.set(value, (tracks.get(value) ?? 0) + (counts[place] ?? 0));
    return [...tracks]
      .map(([value, count]) => ({ value, tracks: count }))
      .sort((a, b) => b.tracks - a.tracks || (a.value < b.value ? -1 : 1));
  }

  /** 1 at the place of each row that has what a term names, also where it is negated; null for terms about something else than text. */
  #placesOf(term: SearchTerm): Uint8Array | null {
    if (term.kind === 'words') return placesWith(foldText(term.text), this.#allTexts());
    if (term.kind !== 'text') return null;
    const matchers = term.values.map((value) => matcher(value, term.whole));
    const { values, of } = this.#column(term.field);
    const holds = values.map(({ folded }) => folded.some((text) => matchers.some((match) => match(text))));
    return Uint8Array.from(of, (place) => (holds[place] === true ? 1 : 0));
  }

  /** All by row number. */
  #allRows(): number[] {
    return this.#rows.get('rows', () => this.#read('rowid') as number[]);
  }

  /**
   * Reads what a search looks through before there is one, a part at a time: whatever else is asked for in between goes first.
   * What was written meanwhile is read again by the search itself.
   * @throws the signal's reason
   */
  async prepare(signal: AbortSignal): Promise<void> {
    if (this.#texts.known('texts')) return;
    const revision = this.#db.revision('tracks');
    const reading = this.#readTexts();
    for (let step = reading.next(); ; step = reading.next()) {
      // What was read of other texts is of no use.
      if (this.#db.revision('tracks') !== revision) return;
      if (step.done) {
        this.#keep(step.value);
        return;
      }
      await nextTurn();
      signal.throwIfAborted();
    }
  }

  #allTexts(): AllTexts {
    const known = this.#texts.known('texts');
    if (known) return known;
    const reading = this.#readTexts();
    let step = reading.next();
    while (!step.done) step = reading.next();
    return this.#keep(step.value);
  }

  #keep({ rows, notes, parts }: ReadTexts): AllTexts {
    this.#rows.get('rows', () => rows);
    return this.#texts.get('texts', () => {
      const noted = new Map<number, string>();
      for (const { place, text } of notes) {
        const { joined, starts } = parts[Math.floor(place / READ_AT_ONCE)] ?? { joined: '', starts: [] };
        const own = place % READ_AT_ONCE;
        const base = joined.slice(starts[own], (starts[own + 1] ?? 0) - BETWEEN.length);
        noted.set(place, `${base}\n${foldText(text)}`);
      }
      return { parts, noted };
    });
  }

  /** Row numbers, texts and notes in one pass over the table, which is most of what the first search costs; pauses after each part. */
  *#readTexts(): Generator<void, ReadTexts> {
    // Text as bytes, which cross from the driver sooner.
    const next = this.#db.prepare<{ rows: string; texts: ArrayBuffer | null; notes: string }>(
      `SELECT json_group_array(n) AS "rows", CAST(group_concat(text, ?) AS BLOB) AS texts, json_group_array(notes) AS notes
         FROM (SELECT rowid AS n, replace(search_text, ?, ' ') AS text, notes FROM tracks
                WHERE rowid > ? ORDER BY rowid LIMIT ?)`,
    );
    const rows: number[] = [];
    const notes: { place: number; text: string }[] = [];
    const parts: Texts[] = [];
    for (;;) {
      const part = next.get([BETWEEN, BETWEEN, rows.at(-1) ?? 0, READ_AT_ONCE]);
      // Made by SQLite from columns.
      const read = JSON.parse(part?.rows ?? '[]') as number[];
      if (read.length === 0 || !part?.texts) return { rows, notes, parts };
      for (const [i, text] of (JSON.parse(part.notes) as (string | null)[]).entries())
        if (text !== null) notes.push({ place: rows.length + i, text });
      const joined = Buffer.from(part.texts).toString('utf8');
      parts.push({ joined, starts: startsOf(joined, read.length) });
      for (const row of read) rows.push(row);
      yield;
    }
  }

  #column(field: TextField): Column {
    return this.#columns.get(field, () => {
      const all = this.#read(columns[field]) as (string | null)[];
      const places = new Map<string, number>();
      const of = Int32Array.from(all, (text) => {
        if (text === null) return -1;
        const known = places.get(text) ?? places.size;
        places.set(text, known);
        return known;
      });
      // Genres are a list as JSON, which an import writes.
      const written = [...places.keys()].map((text) =>
        field === 'genre' ? (JSON.parse(text) as string[]) : [text],
      );
      const folded = foldTexts(written.flat());
      let at = 0;
      const values = written.map((texts) => ({
        written: texts,
        folded: folded.slice(at, (at += texts.length)),
      }));
      return { values, of };
    });
  }

  /** A column of all tracks by row number: as one text, for a hundred thousand rows would each have to cross from the driver. */
  #read(column: string): unknown[] {
    const all = this.#db
      .prepare<{ values: string }>(
        `SELECT json_group_array(v) AS "values" FROM (SELECT ${column} AS v FROM tracks ORDER BY rowid)`,
      )
      .get();
    // Made by SQLite from a column.
    return JSON.parse(all?.values ?? '[]') as unknown[];
  }
}

/** Where each of `count` texts begins, and one beyond the separator that would follow the last. */
function startsOf(joined: string, count: number): Int32Array {
  const starts = new Int32Array(count + 1);
  for (let place = 1; place < count; place++)
    starts[place] = joined.indexOf(BETWEEN, starts[place - 1]) + BETWEEN.length;
  starts[count] = joined.length + BETWEEN.length;
  return starts;
}

/** 1 at the place of each row whose text has these folded words. */
function placesWith(wanted: string, { parts, noted }: AllTexts): Uint8Array {
  const count = parts.reduce((sum, { starts }) => sum + starts.length - 1, 0);
  const places = new Uint8Array(count);
  // What holds the separator would be found across two rows.
  if (wanted.includes(BETWEEN)) return places;
  if (wanted === '') return places.fill(1);
  let first = 0;
  for (const { joined, starts } of parts) {
    let row = 0;
    for (let at = joined.indexOf(wanted); at >= 0; at = joined.indexOf(wanted, starts[row])) {
      while ((starts[row + 1] ?? Infinity) <= at) row++;
      places[first + row++] = 1;
    }
    first += starts.length - 1;
  }
  for (const [place, text] of noted) if (text.includes(wanted)) places[place] = 1;
  return places;
}
