import type { PreferenceChange, Preferences } from '../api/preferences.ts';
import { writeWhole } from '../files/write-whole.ts';
import { storageError } from '../storage/errors.ts';
import { preferencesFile, readPreferences } from './file.ts';

/** The preferences of a data folder, in memory and in their file. */
export class PreferenceStore {
  readonly #dataFolder: string;
  #now: Preferences;
  readonly #unknown: Readonly<Record<string, unknown>>;
  /** One writing after the other: the last change is what the file says. */
  #written: Promise<void> = Promise.resolve();

  /** @param note told what is wrong with the file */
  constructor(dataFolder: string, note: (message: string) => void) {
    this.#dataFolder = dataFolder;
    const { preferences, unknown, problem } = readPreferences(dataFolder);
    this.#now = preferences;
    this.#unknown = unknown;
    if (problem !== null) note(problem);
  }

  get now(): Preferences {
    return this.#now;
  }

  /** @throws EngineError `disk-full` or `unreadable` when the file cannot be written; the change holds until the end all the same */
  async change(change: PreferenceChange): Promise<Preferences> {
    const said = Object.entries(change).filter(([, value]) => value !== undefined);
    this.#now = { ...this.#now, ...Object.fromEntries(said) };
    const path = preferencesFile(this.#dataFolder);
    const write = this.#written.then(() =>
      writeWhole(path, `${JSON.stringify({ ...this.#unknown, ...this.#now }, null, 2)}\n`),
    );
    this.#written = write.catch(() => undefined);
    try {
      await write;
    } catch (thrown) {
      throw storageError(thrown, path);
    }
    return this.#now;
  }
}
