import { describe, expect, it, vi } from 'vitest';
import { parseSearch } from '../../../engine/api/search-query.ts';
import { SearchIndex } from '../../../engine/library/search-index.ts';
import { foldText } from '../../../engine/library/search-text.ts';
import { openLibraryDatabases } from '../../../engine/storage/open.ts';
import { Database } from '../../../engine/storage/database.ts';
import { testFolder } from '../../support/music.ts';

const COUNT = 4500;
const words = ['flute', 'violin', 'Ärger', '笛', 'a\u0001b', 'end'];

/** Rows with gaps between their numbers, over more than one part, some with notes. */
function filled(): Database {
  const db = openLibraryDatabases(testFolder());
  const insert = db.prepare(
    `INSERT INTO tracks (id, path, title, search_text, notes, added_at, file_state) VALUES (?, ?, '', ?, ?, '', 'present')`,
  );
  db.transaction(() => {
    for (let i = 0; i < COUNT; i++) {
      const text = foldText(`${words[i % 6] ?? ''} ${i % 97}\n${words[(i * 7) % 5] ?? ''}`);
      insert.run([`track-${i}`, `${i}.wav`, i === 7 ? '' : text, i % 501 === 3 ? `Später ${i}` : null]);
    }
    db.prepare('DELETE FROM tracks WHERE rowid % 10 = 4 OR rowid BETWEEN 1990 AND 2100').run();
  })();
  return db;
}

/** Row by row, as it is defined. */
function oneByOne(db: Database, wanted: string): number[] {
  return db
    .prepare<{ n: number; text: string; notes: string | null }>(
      'SELECT rowid AS n, search_text AS text, notes FROM tracks ORDER BY rowid',
    )
    .all()
    .filter(({ text, notes }) =>
      (notes === null ? text : `${text}\n${foldText(notes)}`).includes(foldText(wanted)),
    )
    .map(({ n }) => n);
}

describe('the texts that are searched', () => {
  it('hold words exactly where each row for itself has them', () => {
    const db = filled();
    const index = new SearchIndex(db);
    for (const wanted of ['flute', 'FLUTE 1', 'arger', '笛', '9', 'end', 'spater', 'spater 504', 'nothing'])
      expect(index.find(parseSearch(wanted)), wanted).toEqual(
        // Words that stand apart are found apart.
        wanted
          .split(' ')
          .map((word) => oneByOne(db, word))
          .reduce((some, others) => some.filter((row) => others.includes(row))),
      );
    const all = oneByOne(db, '');
    const without = index.find(parseSearch('-flute'));
    const flutes = new Set(oneByOne(db, 'flute'));
    expect(flutes.size).toBeGreaterThan(500);
    expect(without).toEqual(all.filter((row) => !flutes.has(row)));
    // What stands between two rows is in none.
    expect(index.find([{ kind: 'words', text: '\u0001', negated: false, start: 0, end: 1 }])).toEqual([]);
    db.close();
  });

  it('are read again when tracks were written', () => {
    const db = filled();
    const index = new SearchIndex(db);
    const before = index.find(parseSearch('flute')) ?? [];
    db.prepare("UPDATE tracks SET search_text = 'other' WHERE rowid = ?").run([before[0] ?? 0]);
    db.prepare("UPDATE tracks SET notes = 'flute' WHERE id = 'track-7'").run();
    expect(index.find(parseSearch('flute'))).toEqual(oneByOne(db, 'flute'));
    expect(index.find(parseSearch('flute'))).not.toEqual(before);
    db.prepare('DELETE FROM tracks').run();
    expect(index.find(parseSearch('flute'))).toEqual([]);
    db.close();
  });

  it('are read ahead in parts, between which others have their turn, and not of tracks that are written meanwhile', async () => {
    const db = filled();
    const { signal } = new AbortController();
    const index = new SearchIndex(db);
    const reads = readsOf(db);
    const ahead = index.prepare(signal);
    // The first part of three is read; what comes now need not wait for the others.
    expect(reads()).toBe(1);
    await ahead;
    const read = reads();
    expect(index.find(parseSearch('flute'))).toEqual(oneByOne(db, 'flute'));
    await index.prepare(signal);
    expect(reads()).toBe(read);

    db.prepare("UPDATE tracks SET notes = 'changed' WHERE id = 'track-7'").run();
    const late = index.prepare(signal);
    db.prepare("UPDATE tracks SET notes = 'flute' WHERE id = 'track-7'").run();
    await late;
    expect(index.find(parseSearch('flute'))).toEqual(oneByOne(db, 'flute'));

    db.prepare("UPDATE tracks SET notes = NULL WHERE id = 'track-7'").run();
    await expect(index.prepare(AbortSignal.abort(new Error('closed')))).rejects.toThrow('closed');
    db.close();
  });
});

/** Counts how often parts of the texts are read from here on. */
function readsOf(db: Database): () => number {
  const spy = vi.spyOn(db, 'prepare');
  let reads = 0;
  spy.mockImplementation((sql: string) => {
    const statement = Database.prototype.prepare.call(db, sql);
    if (!sql.includes('group_concat')) return statement;
    return {
      ...statement,
      get: (parameters) => {
        reads++;
        return statement.get(parameters);
      },
    };
  });
  return () => reads;
}
