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
 * Backs the open libraries up: after changes, at most once an hour while they are in use, and when the engine ends. What was
 * changed and not backed up when the program was killed is backed up the next time the library is open for a moment.
 */
export class BackupKeeper {
  readonly #libraries: { opened(): Library[] };
  readonly #note: (message: string) => void;
  readonly #watched = new WeakMap<Library, Watched>();
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(libraries: { opened(): Library[] }, note: (message: string) => void) {
    this.#libraries = libraries;
    this.#note = note;
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Backs up what is due. @returns how many libraries were */
  look(now = Date.now()): Promise<number> {
    return this.#pass(now, () => !this.#closed);
  }

  async #pass(now: number, goesOn: () => boolean): Promise<number> {
    let made = 0;
    for (const library of this.#libraries.opened()) {
      // Each takes its time: what comes later may have been closed meanwhile.
      if (!goesOn() || !this.#libraries.opened().includes(library)) continue;
      let name = library.db.path;
      try {
        if (this.#running.has(library.id) || !this.#isDue(library, now)) continue;
        ({ name } = library.summary());
        await this.make(library, 'auto');
        made++;
      } catch (thrown) {
        const { message } = EngineError.from(thrown);
        this.#note(`The library “${name}” could not be backed up: ${message}`);
      }
    }
    return made;
  }

  /** @throws EngineError `database`, `disk-full` */
  async make(library: Library, reason: 'auto' | 'hand'): Promise<Backup> {
    // Several may wait for the same one; the first of them goes on, and the others see it at once.
    for (let run = this.#running.get(library.id); run; run = this.#running.get(library.id)) await run;
    const revision = library.db.revision(...TABLES);
    const run = backUp(library.db, reason);
    const ended = run.then(
      () => this.#running.delete(library.id),
      () => this.#running.delete(library.id),
    );
    this.#running.set(library.id, ended);
    const backup = await run;
    this.#watched.set(library, { revision });
    return backup;
  }

  /** Resolves when no backup of a library is being written: only then it may be closed. */
  async idle(libraryId: string): Promise<void> {
    for (let run = this.#running.get(libraryId); run; run = this.#running.get(libraryId)) await run;
  }

  /** Backs up what is due before the libraries close: a command, or a short look, ends long before the next minute. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await Promise.all(this.#running.values());
    await this.#pass(Date.now(), () => true);
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
  'mistake_decisions',
  'saved_searches',
  'reductions',
  'studies',
];
