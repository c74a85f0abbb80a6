import { resolve } from 'node:path';
import { connectEngine } from './api/client.ts';
import { contract } from './api/contract.ts';
import type { Confinement } from './api/app.ts';
import type { EngineClient, Handlers, Method } from './api/contract.ts';
import type { EngineContext, EngineOptions } from './context.ts';
import { decodeLimits } from './decode/index.ts';
import { PathGrants } from './grants.ts';
import { ownPaths } from './own-paths.ts';
import { Events } from './events.ts';
import { cachesHandlers } from './caches/handlers.ts';
import { preferencesHandlers } from './preferences/handlers.ts';
import { inlineReaders } from './readers/inline.ts';
import { Readers } from './readers/readers.ts';
import { PreferenceStore } from './preferences/store.ts';
import { appHandlers } from './app/handlers.ts';
import { classifyHandlers } from './classify/handlers.ts';
import { evaluationsHandlers } from './evaluate/handlers.ts';
import { experimentsHandlers } from './experiments/handlers.ts';
import { explainHandlers } from './classify/explain-handlers.ts';
import { exportsHandlers } from './exports/handlers.ts';
import { libraryBundleHandlers } from './bundles/library-handlers.ts';
import { backupHandlers } from './library/backup-handlers.ts';
import { BackupKeeper } from './library/backup-keeper.ts';
import { Notices } from './notices.ts';
import { importHandlers } from './import/handlers.ts';
import { jobsHandlers } from './jobs/handlers.ts';
import { labelsHandlers } from './taxonomies/label-handlers.ts';
import { librariesHandlers } from './library/handlers.ts';
import { listeningHandlers } from './listening/handlers.ts';
import { melodyHandlers } from './melody/handlers.ts';
import { melodiesHandlers } from './melody/kept-handlers.ts';
import { mistakesHandlers } from './mistakes/handlers.ts';
import { modalitiesHandlers } from './modalities/handlers.ts';
import { modulationHandlers } from './modulation/handlers.ts';
import { neighboursHandlers } from './neighbours/handlers.ts';
import { packsHandlers } from './packs/handlers.ts';
import { playlistsHandlers } from './playlists/handlers.ts';
import { projectionHandlers } from './projection/handlers.ts';
import { prototypesHandlers } from './prototypes/handlers.ts';
import { providersHandlers } from './packs/provider-handlers.ts';
import { queueHandlers } from './queue/handlers.ts';
import { memoryKeeper } from './queue/secrets.ts';
import { QueueService } from './queue/service.ts';
import { recordingsHandlers } from './recordings/handlers.ts';
import { reductionsHandlers } from './reductions/handlers.ts';
import { scoringHandlers } from './scoring/handlers.ts';
import { storesHandlers } from './stores/handlers.ts';
import { similarityHandlers } from './similarity/handlers.ts';
import { sonifyHandlers } from './sonify/handlers.ts';
import { taxonomiesHandlers } from './taxonomies/handlers.ts';
import { searchesHandlers } from './library/search-handlers.ts';
import { setsHandlers } from './library/set-handlers.ts';
import { tracksHandlers } from './library/track-handlers.ts';
import { JobQueue } from './jobs/queue.ts';
import { JobStore } from './jobs/store.ts';
import { LibraryCatalogue } from './library/libraries.ts';
import { memoryForVectors } from './library/window-rows.ts';
import { Playback } from './library/playback.ts';
import { MediaTokens } from './media.ts';
import { sweepScratch } from './files/scratch.ts';
import { asEngineError } from './packs/failures.ts';
import { PackService } from './packs/service.ts';
import { lockDataFolder } from './storage/lock.ts';
import { noteFullDisk, openJobsDatabase } from './storage/open.ts';
import { serve } from './wire/index.ts';
import type { Port } from './wire/index.ts';
import { portPair } from './wire/transports/in-process.ts';
import { decodeWorkers } from './workers.ts';

export type { EngineOptions } from './context.ts';

/** Everything the application does, without a shell around it. */
export interface Engine {
  /** Serves the engine API to whoever is at the other end of the port: only what was granted may be named there. */
  serve(port: Port): void;
  grants: PathGrants;
  /** A client in this process. */
  client(): EngineClient;
  media: MediaTokens;
  /** Starts the process that reads files of others in advance. @returns what keeps it in */
  startReaders: () => Promise<Confinement>;
  /** Stops all work and frees the data folder. Jobs that can be resumed go on when it is opened again. */
  close(): Promise<void>;
}

/**
 * Composes the engine over a data folder.
 * @throws EngineError `library-busy` when another process works on it; `database`, `database-newer`, `disk-full`
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const settled = { ...options, dataFolder: resolve(options.dataFolder) };
  const unlock = lockDataFolder(settled.dataFolder);
  // What runs that were killed left in the temporary folder; nothing waits for it.
  void sweepScratch();
  try {
    return await compose(settled, unlock);
  } catch (thrown) {
    unlock();
    throw thrown;
  }
}

async function compose(options: EngineOptions, unlock: () => void): Promise<Engine> {
  const events = new Events();
  const notices = new Notices(events);
  noteFullDisk(options.dataFolder, notices.add);
  const preferences = new PreferenceStore(options.dataFolder, notices.add);
  const packs = await PackService.open({
    packFolders: options.packFolders,
    dataFolder: options.dataFolder,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.embedder === undefined
      ? {}
      : { embedder: options.embedder, onConfined: noteFreedom(notices, RUN_FREELY) }),
    ...(options.embedderLimits === undefined ? {} : { limits: options.embedderLimits }),
    ...(options.providerRunner === undefined ? {} : { providerRunner: options.providerRunner }),
  });
  packs.useThreads(preferences.now.threads);
  const jobs: JobQueue = new JobQueue(
    new JobStore(openJobsDatabase(options.dataFolder, notices.add)),
    events,
    {
      nameOfLibrary: (libraryId) => libraries.nameOf(libraryId),
      toError: asEngineError,
    },
  );
  const libraries: LibraryCatalogue = new LibraryCatalogue(options.dataFolder, {
    isBusy: (libraryId) => jobs.busy(libraryId),
    pack: (packId) => packs.find(packId),
    encoderOf: (packSha256) => packs.encoderOf(packSha256),
    changed: (libraryId, what) => events.emit({ type: 'library-changed', libraryId, what }),
    note: notices.add,
    vectorsInMemory: () =>
      preferences.now.vectorsInMemory === null
        ? memoryForVectors()
        : preferences.now.vectorsInMemory * 2 ** 30,
  });
  const backups = new BackupKeeper(libraries, notices.add);
  const media = new MediaTokens(options.mediaUrl);
  const { decodeWorker, datasetWorker: dataset, labelWorker: label } = options;
  const readers = new Readers({
    spawn: options.readers ?? inlineReaders,
    config: { decodeWorker, threads: { dataset, label }, decoders: decodeWorkers(options), decodeLimits },
    browser: options.browserDecoder,
    ffmpeg: options.ffmpeg ?? false,
    onConfined: options.readers && noteFreedom(notices, READ_FREELY),
  });
  const playback = new Playback(readers, media, () => preferences.now.copiesLimit * 2 ** 30);
  const context: EngineContext = {
    options,
    events,
    notices,
    backups,
    jobs,
    libraries,
    packs,
    preferences,
    readers,
    media,
    queue: new QueueService(options.dataFolder, options.secrets ?? memoryKeeper(), options.queue),
  };
  const handlers: Handlers = {
    ...appHandlers(context),
    ...librariesHandlers(context),
    ...backupHandlers(context),
    ...libraryBundleHandlers(context),
    ...importHandlers(context),
    ...searchesHandlers(context),
    ...setsHandlers(context),
    ...tracksHandlers(context, playback),
    ...taxonomiesHandlers(context),
    ...labelsHandlers(context),
    ...experimentsHandlers(context),
    ...evaluationsHandlers(context, playback),
    ...classifyHandlers(context, playback),
    ...explainHandlers(context),
    ...prototypesHandlers(context),
    ...sonifyHandlers(context),
    ...listeningHandlers(context),
    ...melodiesHandlers(context),
    ...melodyHandlers(context),
    ...mistakesHandlers(context),
    ...modalitiesHandlers(context),
    ...modulationHandlers(context),
    ...neighboursHandlers(context),
    ...storesHandlers(context),
    ...playlistsHandlers(context),
    ...similarityHandlers(context),
    ...projectionHandlers(context),
    ...recordingsHandlers(context),
    ...reductionsHandlers(context),
    ...exportsHandlers(context),
    ...packsHandlers(context),
    ...providersHandlers(context),
    ...scoringHandlers(context),
    ...jobsHandlers(context),
    ...preferencesHandlers(context),
    ...queueHandlers(context),
    ...cachesHandlers(context),
  };
  // Only now does every kind of job have its runner.
  jobs.recover({ resting: options.safeStart ?? false });

  const close = async (): Promise<void> => {
    await jobs.close();
    await playback.close();
    await readers.close();
    await packs.close();
    await backups.close();
    libraries.close();
    unlock();
  };
  let closing: Promise<void> | null = null;
  const grants = new PathGrants(ownPaths(context));
  return {
    serve: (port) =>
      serve(port, contract, handlers, {
        toError: asEngineError,
        permit: (method, input) => grants.check(method as Method, input),
        mayName: (path) => grants.permits(path, 'name'),
      }),
    grants,
    client: () => {
      const [here, there] = portPair();
      serve(there, contract, handlers, { toError: asEngineError });
      return connectEngine(here);
    },
    media,
    startReaders: () => readers.start(),
    close: () => (closing ??= close()),
  };
}

/** What a process that nothing keeps in does, and what a person can do about it. */
const RUN_FREELY = ['The models of packs run', 'Use only packs of makers you trust.'] as const;
const READ_FREELY = ['Files of others are read', 'Open only files of people you trust.'] as const;

/** On Linux a process that nothing keeps in is an exception that its owner can mend. */
function noteFreedom(
  notices: Notices,
  [what, hint]: typeof RUN_FREELY | typeof READ_FREELY,
): (confinement: Confinement) => void {
  return ({ calls, files, reason }) => {
    if (process.platform !== 'linux' || (calls && files !== 'free')) return;
    notices.add(`${what} with all rights of yours, because ${reason}. ${hint}`);
  };
}
