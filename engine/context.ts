import type { LibrarySummary } from './api/libraries.ts';
import type { EventBus } from './events.ts';
import type { EmbedderLimits } from './embedder/limits.ts';
import type { SpawnHelper } from './helpers/process.ts';
import type { Readers } from './readers/readers.ts';
import type { JobQueue } from './jobs/queue.ts';
import type { Library } from './library/library.ts';
import type { BackupKeeper } from './library/backup-keeper.ts';
import type { MediaTokens } from './media.ts';
import type { Notices } from './notices.ts';
import type { SecretKeeper } from './queue/secrets.ts';
import type { QueueService } from './queue/service.ts';
import type { QueueSettings } from './queue/settings.ts';
import type { VectorStoreSettings } from './stores/settings.ts';
import type { PreferenceStore } from './preferences/store.ts';
import type { PackService } from './packs/service.ts';
import type { ExternalDecoder } from '../models/audio/index.ts';
import type { ProviderRunner } from '../models/packs/index.ts';

/** What a shell decides when it starts the engine. */
export interface EngineOptions {
  /** Databases and caches; never inside a music folder. */
  dataFolder: string;
  /** Folders that hold packs (each sub-folder with a `pack.json` is one); the first holds the embedded ones. */
  packFolders: string[];
  /** Bundled worker file that decodes audio. */
  decodeWorker: string;
  /** Bundled worker file that reads data sets. */
  datasetWorker: string;
  /** Bundled worker file that reads label files. */
  labelWorker: string;
  /** Starts the process in which files of others are read; without it the threads are the engine's own. */
  readers?: SpawnHelper;
  /** Decodes AAC without anything being installed: Chromium, in the application. */
  browserDecoder?: ExternalDecoder;
  /** Whether an installed ffmpeg decodes what nothing else does. */
  ffmpeg?: boolean;
  /** Measures execution providers where this process cannot start one of its own (Electron). */
  providerRunner?: ProviderRunner;
  /** Starts the process in which the graphs of packs run; without it they run on the engine's own thread. */
  embedder?: SpawnHelper;
  /** How far a graph may go; default `embedderLimits`. */
  embedderLimits?: Partial<EmbedderLimits>;
  /** Imports go over this queue to workers on other machines; without it they are computed here. */
  queue?: QueueSettings;
  /** The vector store that this run may fill and search; none may be reached without. */
  store?: VectorStoreSettings;
  /** Keeps what lets one in to a queue; without it the memory of this process does. */
  secrets?: SecretKeeper;
  /** After several crashes in a row: nothing that was under way is taken up by itself. */
  safeStart?: boolean;
  /** Folder of the samples that come with Archetone; null where there are none. */
  demoFolder: string | null;
  /** Folder of the labelled demo; null where there is none. */
  labelledDemoFolder: string | null;
  version: string;
  /** Default: `archetone://audio/<token>`. */
  mediaUrl?: (token: string) => string;
  /** Threads of ONNX Runtime. */
  threads?: number;
  /** Default: one less than the cores, at least one. */
  decodeWorkers?: number;
}

/** Everything a part of the engine may use; made once by `createEngine`. */
export interface EngineContext {
  options: EngineOptions;
  events: EventBus;
  notices: Notices;
  backups: BackupKeeper;
  jobs: JobQueue;
  libraries: Libraries;
  packs: PackService;
  preferences: PreferenceStore;
  readers: Readers;
  media: MediaTokens;
  queue: QueueService;
}

export interface Libraries {
  /**
   * Opens the library of a folder, making it the first time; settings that are given are changed.
   * @throws EngineError `missing-folder`, `database`, `database-newer`; `library-busy` when a job works on it and other
   * settings are given
   */
  open(
    folder: string,
    options: { name?: string; windows?: 'all' | number; packId?: string; isDemo?: boolean },
  ): Library;
  /** @throws EngineError `not-found`, `database`, `database-newer` */
  get(libraryId: string): Library;
  /** Where the own database of a library lies, whether it can be opened or not. @throws EngineError `not-found` */
  databaseOf(libraryId: string): string;
  /** Closes a library for what needs its files, and opens it again. @throws EngineError `library-busy`, `database` */
  whileClosed(libraryId: string, work: (folder: string) => Promise<void>): Promise<Library>;
  /** Takes in databases that `fill` puts into a new folder. @throws EngineError `missing-folder`, `bad-input`, `database` */
  adopt(folder: string, fill: (libraryFolder: string) => Promise<void>): Promise<Library>;
  /** Most recently opened first. */
  list(): LibrarySummary[];
  /** Those whose databases are open. */
  opened(): Library[];
  /** @throws EngineError `missing-folder`, `not-found`, `library-busy`, `bad-input` */
  relink(libraryId: string, folder: string): Library;
  /** Deletes Archetone's own data about a library; never an audio file. */
  remove(libraryId: string): void;
  close(): void;
}
