import type { Database } from '../storage/database.ts';
import { Kept } from './kept.ts';
import { searchWords } from './search-text.ts';

/** What a search looks through, by row number of the track. */
interface Texts {
  rows: number[];
  texts: string[];
}

/** The texts of all tracks in memory, read at the first search and again when tracks were written. */
export class SearchIndex {
  readonly #db: Database;
  readonly #texts: Kept<'texts', Texts>;

  constructor(db: Database) {
    this.#db = db;
    this.#texts = new Kept(db, ['tracks'], 1);
  }

  /** Row numbers of the tracks in which every word of a search occurs; null when it has no word. */
  find(search: string): number[] | null {
    const words = searchWords(search);
    if (words.length === 0) return null;
    const { rows, texts } = this.#texts.get('texts', () => this.#read());
    return rows.filter((_, i) => words.every((word) => texts[i]?.includes(word)));
  }

  #read(): Texts {
    // As two texts: a hundred thousand rows would each have to cross from the driver on their own.
    const all = this.#db
      .prepare<{ rows: string; texts: string }>(
        'SELECT json_group_array(rowid) AS rows, json_group_array(search_text) AS texts FROM tracks',
      )
      .get();
    // Made by SQLite from row numbers and texts.
    return {
      rows: JSON.parse(all?.rows ?? '[]') as number[],
      texts: JSON.parse(all?.texts ?? '[]') as string[],
    };
  }
}
