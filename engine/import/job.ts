import { resolve } from 'node:path';
import type * as z from 'zod';
import type { PackRuntime } from '../../models/packs/index.ts';
import type { JobResult } from '../api/jobs.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import { EngineError } from '../api/errors.ts';
import { importMethods } from '../api/import.ts';
import type { EngineContext } from '../context.ts';
import { jobKind } from '../jobs/kind.ts';
import type { Library } from '../library/library.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { refreshTaxonomies } from '../taxonomies/refresh.ts';
import { spaceOfPack } from '../library/pack-space.ts';
import { decodeWorkers } from '../workers.ts';
import { offerPack } from '../queue/pack-files.ts';
import type { QueueSettings } from '../queue/settings.ts';
import { embedOverQueue } from './embed-over-queue.ts';
import { embedTracks } from './embed-tracks.ts';
import { expectedWindows, ImportPlan, type TrackToEmbed } from './plan.ts';
import { probeFiles } from './probe-files.ts';
import { ImportProgress } from './progress.ts';
import { scanFolder, type Scan } from '../files/scan.ts';
import { TrackStore } from './track-store.ts';

export const importSpecSchema = importMethods['import.start'].input;
const SHOWN_HIDDEN = 20;
const TELL_INTERVAL_MS = 1000;

type ImportResult = Extract<JobResult, { kind: 'import' }>;

/** Imports a library; can be started again at any time, and does only what is still to be done. */
export function registerImport(context: EngineContext): void {
  context.jobs.register(
    jobKind({
      kind: 'import',
      lane: 'import',
      resumable: true,
      spec: importSpecSchema,
      title: ({ libraryId, packId }) => {
        const { name } = context.libraries.get(libraryId).summary();
        const pack = packId === null ? null : context.packs.find(packId);
        return pack ? `Embed ${name} by “${pack.manifest.title}”` : `Import ${name}`;
      },
      run: (spec, job) => runImport(context, context.libraries.get(spec.libraryId), job, spec),
    }),
  );
}

async function runImport(
  context: EngineContext,
  library: Library,
  job: JobHandle,
  { everything, overQueue, packId }: z.output<typeof importSpecSchema>,
): Promise<ImportResult> {
  const begun = performance.now();
  const progress = new ImportProgress(job);
  const queue = await context.queue.settingsFor(overQueue);
  // Told at once, not when all files have been read.
  if (queue !== null) await (await queueBoards()).reach(queue);
  const runtime = await context.packs.runtime(packId ?? library.packId(), job.lane);
  await job.checkpoint();
  const scan = await scanLibrary(context, library, job, progress);
  await job.checkpoint();

  // The pack may have been replaced by another version under its name; where that has the same encoder, the space stays.
  const { sha256: packSha256, encoderSha256 } = runtime.pack;
  const space =
    packId === null
      ? library.use({ ...library.space(), packSha256, encoderSha256 })
      : spaceOfPack(library, runtime.pack);
  const store = new TrackStore(library, space, context.options.version);
  const plan = new ImportPlan(store, scan, everything);
  const tell = new ChangeTeller(() => library.announce('tracks'));
  try {
    await readFiles(context, library, job, { progress, store, plan, tell });
    progress.embedding(
      plan.unchanged + plan.failed,
      plan.failed,
      plan.toEmbed.map((track) => track.durationSeconds),
    );
    const onStored = (): void => tell.soon();
    const parts = { library, store, space, runtime, job, progress, onStored };
    const embedded = await (queue === null
      ? embedHere(context, plan.toEmbed, parts)
      : embedElsewhere(context, queue, plan.toEmbed, parts));
    // What is searched from a file has it at hand then; where it cannot be had, people are told by its maker.
    await library.embeddings.prepare(space, job.signal);
    return {
      kind: 'import',
      imported: embedded.imported,
      unchanged: plan.unchanged,
      failed: plan.failed + embedded.failed,
      missing: plan.missing,
      noted: store.noted(),
      windows: embedded.windows,
      hidden: { count: scan.hidden.length, examples: scan.hidden.slice(0, SHOWN_HIDDEN) },
      seconds: (performance.now() - begun) / 1000,
    };
  } finally {
    tell.now();
  }
}

interface EmbedParts {
  library: Library;
  store: TrackStore;
  space: SpaceInfo;
  runtime: PackRuntime;
  job: JobHandle;
  progress: ImportProgress;
  onStored: () => void;
}

async function embedHere(
  context: EngineContext,
  tracks: readonly TrackToEmbed[],
  parts: EmbedParts,
): ReturnType<typeof embedTracks> {
  const { library, runtime, job } = parts;
  const batch = await context.packs.batchSize(runtime.pack.manifest.id, {
    ...{ lane: job.lane, signal: job.signal },
    windows: expectedWindows(tracks, runtime.pack.manifest.windowSeconds, library.windows()),
  });
  const workers = decodeWorkers(context.options);
  return embedTracks(tracks, { ...parts, batch, decode: context.readers, workers });
}

/** By workers, over a queue; what was hung out there when this stops goes on, unless it is not wanted any more. */
async function embedElsewhere(
  context: EngineContext,
  settings: QueueSettings,
  tracks: readonly TrackToEmbed[],
  parts: EmbedParts,
): ReturnType<typeof embedTracks> {
  const { pack } = parts.runtime;
  parts.job.report({ overQueue: true });
  const board = await (await queueBoards()).open(settings, parts.library.id, parts.job.signal);
  try {
    await offerPack(board, pack);
    const { leaseSeconds } = settings;
    const { readers, notices } = context;
    const { library } = parts;
    const { sampleRate } = pack.manifest;
    const onSetAside = (sentence: string): void => notices.add(sentence);
    const counts = await embedOverQueue(tracks, {
      ...parts,
      ...{ libraryId: library.id, windows: library.windows(), steps: null },
      absolutePath: (path) => library.absolutePath(path),
      ...{ pack, board, leaseSeconds, onSetAside },
      audioOf: (path, signal) => readers.decode(path, { sampleRate, signal }),
    });
    await board.remove();
    return counts;
  } catch (thrown) {
    // A server that is away keeps what hangs out: workers do it for nobody.
    if (parts.job.stopping === 'cancel') await board.clear().catch(() => undefined);
    throw thrown;
  } finally {
    await board.close();
  }
}

async function scanLibrary(
  context: EngineContext,
  library: Library,
  job: JobHandle,
  progress: ImportProgress,
): Promise<Scan> {
  const folder = library.folder();
  const scan = await scanFolder(folder, {
    signal: job.signal,
    skip: resolve(context.options.dataFolder),
    onFound: (files) => progress.scanning(files),
  });
  // An empty mount point looks like a library whose files are all gone: nothing may be marked missing for it.
  if (scan.files.length === 0) {
    const reason = scan.problems[0]?.error.message;
    throw new EngineError(
      'empty-folder',
      `There are no audio files in ${folder}${reason === undefined ? '' : `: ${reason}`}.`,
      'Archetone reads WAV, AIFF, AU, FLAC, MP3, Ogg, Opus and M4A, and others where ffmpeg is installed. Check that its drive is connected, or choose another folder.',
    );
  }
  return scan;
}

/** Hashes and tags of what is new or changed; then it is known what moved and what is missing. */
async function readFiles(
  context: EngineContext,
  library: Library,
  job: JobHandle,
  parts: { progress: ImportProgress; store: TrackStore; plan: ImportPlan; tell: ChangeTeller },
): Promise<void> {
  const { progress, store, plan, tell } = parts;
  const total = plan.toProbe.length;
  let read = 0;
  await probeFiles(plan.toProbe, {
    decode: context.readers,
    workers: decodeWorkers(context.options),
    job,
    absolutePath: (path) => library.absolutePath(path),
    onProbe: (file) => progress.probing(read++, total, file.path, plan.failed),
    onGroup: (group) => {
      store.together(() => {
        for (const { file, outcome } of group) {
          if ('probe' in outcome) plan.probed(file, outcome.probe);
          else plan.unreadable(file, outcome.reason);
        }
      });
      tell.soon();
    },
  });
  plan.settle();
  // Names and tags are all that labels come from: they need not wait for the embeddings.
  await refreshTaxonomies(context, library, job.signal);
  tell.now();
}

/** Tells of changes at most once a second. */
class ChangeTeller {
  readonly #tell: () => void;
  #last = -Infinity;

  constructor(tell: () => void) {
    this.#tell = tell;
  }

  soon(): void {
    if (performance.now() - this.#last >= TELL_INTERVAL_MS) this.now();
  }

  now(): void {
    this.#last = performance.now();
    this.#tell();
  }
}

/** The client of queues, read by those who have one. */
async function queueBoards(): Promise<typeof import('../queue/nats/board.ts').NatsBoard> {
  return (await import('../queue/nats/board.ts')).NatsBoard;
}
