import { existsSync, mkdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { LibrarySummary } from '../api/libraries.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import { EngineError } from '../api/errors.ts';
import type { Libraries } from '../context.ts';
import { newId } from '../identifier.ts';
import { cacheFolderOf, placeNewCaches } from '../storage/cache-place.ts';
import { ifRoom, storageError } from '../storage/errors.ts';
import { sweepDrafts } from '../storage/backups.ts';
import { openLibraryDatabases, wayBack } from '../storage/open.ts';
import {
  beginFolder,
  finishFolder,
  readCatalog,
  removeLibraryFolder,
  sweepRemoved,
  writeCatalogEntry,
  type CatalogEntry,
} from './catalog.ts';
import type { Announce, Change } from './changes.ts';
import { Library } from './library.ts';
import { sweepVectorDrafts } from './vector-file.ts';
import { memoryForVectors, VECTORS_FOLDER } from './window-rows.ts';
import { PASSING_FOLDER } from './sonifications.ts';
import type { SpaceFacts } from './spaces.ts';

export interface OpenLibraryOptions {
  name?: string;
  /** Left out: as the library has it; `all` for a new one. */
  windows?: 'all' | number;
  /** Left out: as the library has it; the compact pack for a new one. */
  packId?: string;
  isDemo?: boolean;
}

/** What libraries need to know of the rest of the engine. */
interface Surroundings {
  /** Whether a job works on a library: what it goes by must not change under it. */
  isBusy(libraryId: string): boolean;
  /** The hashes of a pack; null when it is not there. */
  pack(packId: string): { sha256: string; encoderSha256: string } | null;
  /** The encoder of a pack; null when it is not known. */
  encoderOf(packSha256: string): string | null;
  /** Tells shells what was written in a library. */
  changed(libraryId: string, what: Change): void;
  /** Tells people what was put aside. */
  note: (message: string) => void;
  /** Bytes of vectors that a library holds in memory. */
  vectorsInMemory(): number;
}

function stillBusy(): EngineError {
  return new EngineError(
    'library-busy',
    'A job still works on this library.',
    'Wait for it or cancel it, then try again.',
  );
}

/** The pack that comes with the application. */
const defaultPackId = 'compact';

/** The libraries of one data folder; databases are opened at first use and stay open. */
export class LibraryCatalogue implements Libraries {
  readonly #root: string;
  readonly #open = new Map<string, Library>();
  readonly #around: Surroundings;
  /** Libraries whose files are being changed. */
  readonly #closed = new Set<string>();

  constructor(dataFolder: string, around: Partial<Surroundings> = {}) {
    this.#around = {
      isBusy: () => false,
      pack: () => null,
      encoderOf: () => null,
      changed: () => undefined,
      note: () => undefined,
      vectorsInMemory: memoryForVectors,
      ...around,
    };
    this.#root = join(dataFolder, 'libraries');
    sweepRemoved(this.#root);
    for (const { id } of readCatalog(this.#root)) {
      sweepDrafts(join(this.#folderOf(id), 'library.db'));
      const caches = cacheFolderOf(this.#folderOf(id));
      rmSync(join(caches, PASSING_FOLDER), { recursive: true, force: true });
      sweepVectorDrafts(join(caches, VECTORS_FOLDER));
    }
  }

  /** Opens the library of a folder, making it the first time; settings that are given are changed. */
  open(folder: string, options: OpenLibraryOptions): Library {
    const path = existingFolder(folder);
    const known = readCatalog(this.#root).find((entry) => samePath(entry.folder, path));
    const library = known ? this.get(known.id) : this.#create(path, options);
    if (known) {
      this.#use(library, options);
    }
    ifRoom(() => library.touch());
    return library;
  }

  get(libraryId: string): Library {
    const open = this.#open.get(libraryId);
    if (open && (!open.db.cacheDamaged || this.#around.isBusy(libraryId))) return open;
    if (open) this.#shut(libraryId);
    this.#entry(libraryId);
    return this.#openDatabases(libraryId);
  }

  list(): LibrarySummary[] {
    return readCatalog(this.#root)
      .map((entry) => this.#summaryOf(entry))
      .sort((a, b) => b.openedAt.localeCompare(a.openedAt));
  }

  /** What a library is called, whether it can be opened or not; null when there is none. Opens nothing. */
  nameOf(libraryId: string): string | null {
    return readCatalog(this.#root).find(({ id }) => id === libraryId)?.name ?? null;
  }

  relink(libraryId: string, folder: string): Library {
    const path = existingFolder(folder);
    this.#entry(libraryId);
    this.#expectFree(path, libraryId);
    const library = this.get(libraryId);
    if (path !== library.folder()) this.#expectIdle(library);
    library.moveTo(path);
    this.#note(library);
    return library;
  }

  remove(libraryId: string): void {
    this.#entry(libraryId);
    if (this.#closed.has(libraryId)) throw stillBusy();
    this.#shut(libraryId);
    removeLibraryFolder(this.#folderOf(libraryId));
  }

  /** The libraries whose databases are open. */
  opened(): Library[] {
    return [...this.#open.values()];
  }

  /** Where the own database of a library lies, whether it can be opened or not. @throws EngineError `not-found` */
  databaseOf(libraryId: string): string {
    this.#entry(libraryId);
    return join(this.#folderOf(libraryId), 'library.db');
  }

  /**
   * Closes a library for what needs its files, and opens it again.
   * @throws EngineError `library-busy`, and what `work` or opening throws
   */
  async whileClosed(libraryId: string, work: (folder: string) => Promise<void>): Promise<Library> {
    this.#entry(libraryId);
    if (this.#around.isBusy(libraryId)) throw stillBusy();
    if (this.#closed.has(libraryId)) throw stillBusy();
    this.#closed.add(libraryId);
    try {
      this.#shut(libraryId);
      await work(this.#folderOf(libraryId));
    } finally {
      this.#closed.delete(libraryId);
    }
    return this.get(libraryId);
  }

  /**
   * Takes in a library whose databases were put into a folder of this data folder, for music that lies in `folder`.
   * @throws EngineError `missing-folder`, `bad-input` when that folder has a library, `database`
   */
  async adopt(folder: string, fill: (libraryFolder: string) => Promise<void>): Promise<Library> {
    const path = existingFolder(folder);
    this.#expectFree(path, null);
    const id = newId();
    const libraryFolder = this.#folderOf(id);
    this.#closed.add(id);
    try {
      beginFolder(libraryFolder);
      await fill(libraryFolder);
      // Copying takes its time: the folder may have got a library by now.
      this.#expectFree(path, id);
      finishFolder(libraryFolder);
      this.#closed.delete(id);
      const library = this.#openDatabases(id);
      library.db.prepare('UPDATE library SET id = ?, folder = ?').run([id, path]);
      this.#note(library);
      return library;
    } catch (thrown) {
      this.#shut(id);
      rmSync(libraryFolder, { recursive: true, force: true });
      throw thrown;
    } finally {
      this.#closed.delete(id);
    }
  }

  #shut(libraryId: string): void {
    this.#open.get(libraryId)?.close();
    this.#open.delete(libraryId);
  }

  close(): void {
    for (const library of this.#open.values()) library.close();
    this.#open.clear();
  }

  /** Sees a library through another pack or with other windows, if asked to. */
  #use(library: Library, { packId, windows }: OpenLibraryOptions): void {
    const now = library.space();
    const wanted = { packId: packId ?? now.packId, windows: windows ?? now.windows };
    if (wanted.packId === now.packId && wanted.windows === now.windows) return;
    this.#expectIdle(library);
    library.use(this.#spaceOf(wanted, now));
  }

  /** A pack that is not there any more keeps the name of its space. */
  #spaceOf({ packId, windows }: { packId: string; windows: 'all' | number }, now?: SpaceInfo): SpaceFacts {
    const found = this.#around.pack(packId);
    const kept = packId === now?.packId ? now : null;
    return {
      packId,
      packSha256: found?.sha256 ?? kept?.packSha256 ?? '',
      encoderSha256: found?.encoderSha256 ?? kept?.encoderSha256 ?? '',
      windows,
      deformation: null,
    };
  }

  #expectIdle(library: Library): void {
    if (this.#around.isBusy(library.id)) throw stillBusy();
  }

  #expectFree(path: string, libraryId: string | null): void {
    const other = readCatalog(this.#root).find((e) => e.id !== libraryId && samePath(e.folder, path));
    if (!other) return;
    throw new EngineError(
      'bad-input',
      `${path} already is the folder of the library “${other.name}”.`,
      'Open that library, or remove it first.',
    );
  }

  /** Lets the small file beside the databases say what they say: the list goes by it, and what it cannot open. */
  #note(library: Library): void {
    const { name, folders, packId, isDemo, createdAt } = library.summary();
    writeCatalogEntry(library.dataFolder, {
      ...{ id: library.id, name, folder: folders[0] ?? '', packId, isDemo, createdAt },
    });
  }

  #folderOf(libraryId: string): string {
    return join(this.#root, libraryId);
  }

  #entry(libraryId: string): CatalogEntry {
    const entry = readCatalog(this.#root).find((e) => e.id === libraryId);
    if (entry) return entry;
    throw new EngineError('not-found', `There is no library ${libraryId}.`, 'Open its folder again.');
  }

  #create(folder: string, options: OpenLibraryOptions): Library {
    const id = newId();
    const entry: CatalogEntry = {
      id,
      name: options.name ?? (basename(folder) || folder),
      folder,
      packId: options.packId ?? defaultPackId,
      isDemo: options.isDemo ?? false,
      createdAt: new Date().toISOString(),
    };
    placeNewCaches(dirname(this.#root), this.#folderOf(id), id);
    const library = this.#openDatabases(id, (made) => {
      made.db
        .prepare(
          'INSERT INTO library (id, name, folder, is_demo, created_at, opened_at) VALUES (?, ?, ?, ?, ?, ?)',
        )
        .run([id, entry.name, folder, entry.isDemo ? 1 : 0, entry.createdAt, entry.createdAt]);
      const { packId } = entry;
      made.use(this.#spaceOf({ packId, windows: options.windows ?? 'all' }));
    });
    writeCatalogEntry(library.dataFolder, entry);
    return library;
  }

  #openDatabases(id: string, fill?: (library: Library) => void): Library {
    if (this.#closed.has(id)) throw stillBusy();
    const folder = this.#folderOf(id);
    if (fill) mkdirs(folder);
    else if (!holdsSomething(join(folder, 'library.db'))) {
      // SQLite would make an empty database of it, as if nothing had ever been there.
      throw new EngineError(
        'database',
        `The database ${join(folder, 'library.db')} is missing or empty.`,
        wayBack(join(folder, 'library.db')),
      );
    }
    const library = this.#openWithCache(id, folder);
    try {
      fill?.(library);
      ifRoom(() => {
        this.#settle(library);
        library.purge();
        if (!fill) this.#noteMoved(library);
      });
    } catch (thrown) {
      library.close();
      throw thrown;
    }
    this.#open.set(id, library);
    return library;
  }

  /** The first look at a library goes over its cache: damage that is met there needs no second try. */
  #openWithCache(id: string, folder: string): Library {
    const announce: Announce = (what) => this.#around.changed(id, what);
    const open = (): Library =>
      new Library(id, folder, openLibraryDatabases(folder, this.#around.note), announce, {
        inMemory: () => this.#around.vectorsInMemory(),
        note: this.#around.note,
      });
    const library = open();
    try {
      library.summary();
    } catch {
      // A new library has no row yet; what else is wrong is told by whoever asks.
    }
    if (!library.db.cacheDamaged) return library;
    library.close();
    return open();
  }

  /** A backup may be older than the folder it is for, and a process may end between the two writings of a move. */
  #noteMoved(library: Library): void {
    const entry = readCatalog(this.#root).find(({ id }) => id === library.id);
    if (entry && entry.folder !== library.folder()) this.#note(library);
  }

  /** The hashes of a pack may not have been known when the library was made, or last opened by an earlier version. */
  #settle(library: Library): void {
    library.spaces.identify((packSha256) => this.#around.encoderOf(packSha256));
    const space = library.space();
    const pack = space.packSha256 === '' ? this.#around.pack(space.packId) : null;
    if (pack !== null) library.use({ ...space, packSha256: pack.sha256, encoderSha256: pack.encoderSha256 });
  }

  #summaryOf(entry: CatalogEntry): LibrarySummary {
    try {
      return this.get(entry.id).summary();
    } catch (thrown) {
      if (!(thrown instanceof EngineError)) throw thrown;
      // Listed all the same: with what is wrong, and it can be restored or removed.
      return {
        problem: thrown.toData(),
        id: entry.id,
        name: entry.name,
        folders: entry.folder === '' ? [] : [entry.folder],
        dataFolder: this.#folderOf(entry.id),
        packId: entry.packId,
        windows: 'all',
        space: null,
        tracks: { total: 0, ready: 0, failed: 0, pending: 0, missing: 0 },
        windowCount: 0,
        durationSeconds: 0,
        isDemo: entry.isDemo,
        createdAt: entry.createdAt,
        openedAt: entry.createdAt,
      };
    }
  }
}

function holdsSomething(path: string): boolean {
  const info = statSync(path, { throwIfNoEntry: false });
  return info !== undefined && info.isFile() && info.size > 0;
}

function mkdirs(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (thrown) {
    throw storageError(thrown, folder);
  }
}

/** @throws EngineError `missing-folder`, `unreadable` */
export function existingFolder(folder: string): string {
  const path = resolve(folder);
  try {
    if (statSync(path).isDirectory()) return realpathSync(path);
  } catch (thrown) {
    if (
      thrown instanceof Error &&
      'code' in thrown &&
      (thrown.code === 'EACCES' || thrown.code === 'EPERM')
    ) {
      throw new EngineError('unreadable', `You may not open the folder ${path}.`, 'Check its permissions.', {
        cause: thrown,
      });
    }
    throw new EngineError(
      'missing-folder',
      `There is no folder ${path}.`,
      'Check the name and that its drive is connected. If the folder moved, point the library at its new place.',
      { cause: thrown },
    );
  }
  throw new EngineError(
    'missing-folder',
    `${path} is a file, not a folder.`,
    'Choose the folder that holds it.',
  );
}

function samePath(a: string, b: string): boolean {
  return a === b || (existsSync(a) && realpathSync(a) === b);
}
