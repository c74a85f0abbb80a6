import { EngineError } from '../api/errors.ts';
import { parseSearch } from '../api/search-query.ts';
import type { SavedSearch } from '../api/searches.ts';
import { newId } from '../identifier.ts';
import type { Database } from '../storage/database.ts';

/** The searches that are kept under a name. */
export class SavedSearchRepository {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By name. */
  list(): SavedSearch[] {
    return this.#db
      .prepare<SavedSearch>('SELECT id, name, search FROM saved_searches ORDER BY name COLLATE NOCASE, id')
      .all();
  }

  /** @throws EngineError `bad-input` for a name that is taken, or a search that cannot be read */
  save(name: string, search: string): SavedSearch {
    parseSearch(search);
    this.#requireFree(name, null);
    const saved = { id: newId(), name, search };
    this.#db
      .prepare('INSERT INTO saved_searches (id, name, search, created_at) VALUES (?, ?, ?, ?)')
      .run([saved.id, name, search, new Date().toISOString()]);
    return saved;
  }

  /** @throws EngineError `not-found`; `bad-input` for a name that is taken */
  rename(id: string, name: string): SavedSearch {
    const { search } = this.#get(id);
    this.#requireFree(name, id);
    this.#db.prepare('UPDATE saved_searches SET name = ? WHERE id = ?').run([name, id]);
    return { id, name, search };
  }

  /** @throws EngineError `not-found` */
  remove(id: string): void {
    this.#get(id);
    this.#db.prepare('DELETE FROM saved_searches WHERE id = ?').run([id]);
  }

  #get(id: string): SavedSearch {
    const found = this.list().find((saved) => saved.id === id);
    if (found) return found;
    throw new EngineError('not-found', 'There is no such saved search.', 'It may have been removed.');
  }

  #requireFree(name: string, own: string | null): void {
    if (!this.list().some((saved) => saved.name === name && saved.id !== own)) return;
    throw new EngineError(
      'bad-input',
      `A saved search is called “${name}” already.`,
      'Give it another name, or remove the other first.',
    );
  }
}
