import type { AudioWindow } from '../../models/audio/index.ts';
import type { PackRuntime } from '../../models/packs/index.ts';
import { embedWindows } from '../../models/pecmae/embed.ts';
import { AudioError } from '../../models/audio/index.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import type { AudioDecoder } from '../decode/index.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { AsyncQueue } from '../wire/async-queue.ts';
import type { TrackToEmbed } from './plan.ts';
import type { ImportProgress } from './progress.ts';
import { DecodedTracks } from './decoded-tracks.ts';
import { TrackRun } from './track-run.ts';
import type { TrackStore } from './track-store.ts';

export interface EmbedTracksOptions {
  library: Library;
  store: TrackStore;
  runtime: PackRuntime;
  /** Windows per run of the pack, of several tracks where they are short. */
  batch: number;
  decode: AudioDecoder;
  /** Tracks decoded at once. */
  workers: number;
  job: JobHandle;
  progress: ImportProgress;
  /** A track was stored. */
  onStored: () => void;
}

/**
 * Decodes tracks in parallel and embeds their windows in batches that reach across tracks. Every track is stored as soon
 * as its last window is there. A file that fails is listed; only a fault outside the files (disk full, pack, cancel)
 * ends the import.
 */
export async function embedTracks(
  tracks: readonly TrackToEmbed[],
  options: EmbedTracksOptions,
): Promise<{ imported: number; failed: number; windows: number }> {
  const { store, job, progress, runtime, batch } = options;
  const counts = { imported: 0, failed: 0, windows: 0 };
  const stop = new AbortController();
  const signal = AbortSignal.any([job.signal, stop.signal]);
  const channel = new AsyncQueue<AudioWindow>(2 * batch);
  const { sampleRate, windowSamples } = runtime.pack.manifest;
  const windows = options.library.windows();
  const kept = new DecodedTracks(options.library.cacheFolder, { sampleRate, windowSamples, windows });
  const owners = new WeakMap<AudioWindow, TrackRun>();
  const queue = tracks[Symbol.iterator]();

  const storeWhenComplete = (run: TrackRun): void => {
    const result = run.over ? null : run.result();
    if (!result) return;
    run.over = true;
    store.putResult(run.track.id, result, runtime.computedBy);
    kept.drop(run.track);
    job.kept();
    counts.imported++;
    counts.windows += result.windows.length;
    progress.finished(false, unread(run));
    options.onStored();
  };
  const fail = (run: TrackRun, reason: unknown): void => {
    run.over = true;
    store.putNotEmbedded(run.track.id, reason);
    kept.drop(run.track);
    counts.failed++;
    progress.finished(true, unread(run));
    options.onStored();
  };

  const produce = async (): Promise<void> => {
    for (const track of queue) {
      await job.checkpoint();
      progress.started(track.path);
      const copied = track.contentHash === null ? 0 : store.copyEmbeddings(track.id, track.contentHash);
      if (copied > 0) {
        counts.imported++;
        counts.windows += copied;
        progress.finished(false, track.durationSeconds ?? 0);
        options.onStored();
        continue;
      }
      const run = newRun(track);
      try {
        await run.produce();
      } catch (thrown) {
        if (signal.aborted || !isFaultOfFile(thrown)) throw thrown;
        if (!run.over) fail(run, thrown);
      }
      storeWhenComplete(run);
    }
  };

  const newRun = (track: TrackToEmbed): TrackRun => {
    const path = options.library.absolutePath(track.path);
    const run: TrackRun = new TrackRun(track, {
      sampleRate,
      windowSamples,
      windows,
      kept,
      decode: () =>
        options.decode.decode(path, { sampleRate, signal, onWarning: (note) => run.damaged(note) }),
      send: async (window) => {
        owners.set(window, run);
        await channel.put(window);
      },
      onDecoded: (seconds) => progress.decoded(seconds),
    });
    return run;
  };

  /** While the job is paused no window is handed on, which in turn holds the decoders. */
  const pausable = async function* (): AsyncGenerator<AudioWindow> {
    for await (const window of channel) {
      await job.checkpoint();
      if (owners.get(window)?.over !== true) yield window;
    }
  };
  const consume = async (): Promise<void> => {
    for await (const { window, z } of embedWindows(runtime, pausable(), { batchSize: batch, signal })) {
      const run = owners.get(window);
      if (!run || run.over) continue;
      run.receive(window, z);
      progress.embedded();
      storeWhenComplete(run);
    }
  };

  const guard = async (work: Promise<unknown>): Promise<void> => {
    try {
      await work;
    } catch (thrown) {
      stop.abort(thrown);
      channel.abandon(thrown);
      throw thrown;
    }
  };
  const onCancel = (): void => channel.abandon(job.signal.reason);
  job.signal.addEventListener('abort', onCancel, { once: true });
  try {
    job.signal.throwIfAborted();
    const producers = Array.from({ length: Math.max(1, options.workers) }, () => guard(produce()));
    const produced = Promise.all(producers).then(() => channel.end());
    const settled = await Promise.allSettled([...producers, produced, guard(consume())]);
    job.signal.throwIfAborted();
    const reason: unknown = signal.reason;
    if (settled.some((outcome) => outcome.status === 'rejected')) throw reason;
  } finally {
    job.signal.removeEventListener('abort', onCancel);
    kept.clear();
  }
  return counts;
}

function unread(run: TrackRun): number {
  return Math.max(0, (run.track.durationSeconds ?? 0) - run.decodedSeconds);
}

/** Everything else would fail for the next file as well. */
function isFaultOfFile(thrown: unknown): boolean {
  return thrown instanceof AudioError || (thrown instanceof EngineError && thrown.code === 'audio');
}
