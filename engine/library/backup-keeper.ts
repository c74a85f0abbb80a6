import { statSync } from 'node:fs';
import { EngineError } from '../api/errors.ts';
import { backUp, listBackups } from '../storage/backups.ts';
import type { Backup } from '../storage/backups.ts';
import type { Library } from './library.ts';

const LOOK_EVERY_MS = 60_000;
const HOUR_MS = 3_600_000;

interface Watched {
  /** Writes of the database when it was last backed up. */
  revision: number;
}

/**
 * Backs the open libraries up: after changes, at most once an hour while they are in use. What was changed and not backed
 * up when the program ended is backed up the next time the library is open for a moment.
 */
export class BackupKeeper {
  readonly #libraries: { opened(): Library[] };
  readonly #note: (message: string) => void;
  readonly #watched = new WeakMap<Library, Watched>();
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #timer: NodeJS.Timeout;

  constructor(libraries: { opened(): Library[] }, note: (message: string) => void) {
    this.#libraries = libraries;
    this.#note = note;
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Backs up what is due. @returns how many libraries were */
  async look(now = Date.now()): Promise<number> {
    let made = 0;
    for (const library of this.#libraries.opened()) {
      if (!this.#isDue(library, now)) continue;
      try {
        await this.make(library, 'auto');
        made++;
      } catch (thrown) {
        const { message } = EngineError.from(thrown);
        this.#note(`The library “${library.summary().name}” could not be backed up: ${message}`);
      }
    }
    return made;
  }

  /** @throws EngineError `database`, `disk-full` */
  async make(library: Library, reason: 'auto' | 'hand'): Promise<Backup> {
    await this.idle(library.id);
    const revision = library.db.revision(...TABLES);
    const run = backUp(library.db, reason);
    this.#running.set(
      library.id,
      run.catch(() => undefined),
    );
    try {
      const backup = await run;
      this.#watched.set(library, { revision });
      return backup;
    } finally {
      this.#running.delete(library.id);
    }
  }

  /** Resolves when no backup of a library is being written: only then it may be closed. */
  async idle(libraryId: string): Promise<void> {
    await this.#running.get(libraryId);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#running.values());
  }

  #isDue(library: Library, now: number): boolean {
    const [newest] = listBackups(library.db.path);
    if (newest && Math.abs(now - newest.at.getTime()) < HOUR_MS) return false;
    const watched = this.#watched.get(library);
    if (watched) return library.db.revision(...TABLES) !== watched.revision;
    // Of an earlier time of use: the file says when it was last written.
    const written = statSync(library.db.path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return !newest || written > newest.at.getTime() || library.db.revision(...TABLES) > 0;
  }
}

/** What people make; that a library was opened is no change. */
const TABLES = [
  'tracks',
  'spaces',
  'taxonomies',
  'taxonomy_rows',
  'track_labels',
  'label_overrides',
  'experiments',
  'experiment_revisions',
  'reductions',
  'studies',
];
