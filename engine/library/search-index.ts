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

/** The texts of all tracks in memory, read at the first search and again when tracks were written. */
export class SearchIndex {
  readonly #db: Database;
  readonly #rows: Kept<'rows', number[]>;
  readonly #texts: Kept<'texts', string[]>;
  readonly #columns: Kept<TextField, Column>;

  constructor(db: Database) {
    this.#db = db;
    this.#rows = new Kept(db, ['tracks'], 1);
    this.#texts = new Kept(db, ['tracks'], 1);
    this.#columns = new Kept(db, ['tracks'], Object.keys(columns).length);
  }

  /** Row numbers of the tracks for which every term about text holds; null where there is no such term. */
  find(terms: readonly SearchTerm[]): number[] | null {
    const tests = terms.flatMap((term) => this.#test(term) ?? []);
    if (tests.length === 0) return null;
    return this.#allRows().filter((_, i) => tests.every((test) => test(i)));
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

  /** Whether a term holds for the row at a place; undefined for terms about something else than text. */
  #test(term: SearchTerm): ((place: number) => boolean) | undefined {
    if (term.kind === 'words') {
      const wanted = foldText(term.text);
      const texts = this.#allTexts();
      return (place) => texts[place]?.includes(wanted) !== term.negated;
    }
    if (term.kind !== 'text') return undefined;
    const matchers = term.values.map((value) => matcher(value, term.whole));
    const { values, of } = this.#column(term.field);
    const holds = values.map(({ folded }) => folded.some((text) => matchers.some((match) => match(text))));
    return (place) => (holds[of[place] ?? -1] ?? false) !== term.negated;
  }

  /** All by row number. */
  #allRows(): number[] {
    return this.#rows.get('rows', () => this.#read('rowid') as number[]);
  }

  #allTexts(): string[] {
    return this.#texts.get('texts', () => {
      const notes = this.#read('notes') as (string | null)[];
      // Notes are kept as they were written.
      return (this.#read('search_text') as string[]).map((text, i) =>
        typeof notes[i] === 'string' ? `${text}\n${foldText(notes[i])}` : text,
      );
    });
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
