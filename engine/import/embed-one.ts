import type { AudioWindow } from '../../models/audio/index.ts';
import type { PackRuntime } from '../../models/packs/index.ts';
import { embedWindows } from '../../models/pecmae/embed.ts';
import type { AudioDecoder } from '../decode/index.ts';
import { AsyncQueue } from '../wire/async-queue.ts';
import { TrackRun } from './track-run.ts';
import type { TrackResult } from './track-store.ts';

export interface EmbedOneOptions {
  runtime: PackRuntime;
  /** Windows per run of the pack. */
  batch: number;
  decode: AudioDecoder;
  /** From the headers; null when they do not tell. */
  durationSeconds: number | null;
  windows: 'all' | number;
  signal: AbortSignal;
  onWindow?: () => void;
}

/**
 * Decodes and embeds one file by itself, with the same result as in an import.
 * @throws AudioError, EngineError `audio` for a fault of the file; PackError; the signal's reason
 */
export async function embedOne(path: string, options: EmbedOneOptions): Promise<TrackResult> {
  const { runtime, batch, decode } = options;
  const { sampleRate, windowSamples } = runtime.pack.manifest;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const channel = new AsyncQueue<AudioWindow>(2 * batch);
  const { durationSeconds, windows } = options;
  const run: TrackRun = new TrackRun(
    { id: '', path, contentHash: null, durationSeconds },
    {
      ...{ sampleRate, windowSamples, windows, kept: null },
      decode: () => decode.decode(path, { sampleRate, signal, onWarning: (note) => run.damaged(note) }),
      send: (window) => channel.put(window),
      onDecoded: () => undefined,
    },
  );
  const abandon = (): void => channel.abandon(signal.reason);
  signal.addEventListener('abort', abandon, { once: true });
  const guarded = async (work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (thrown) {
      stop.abort(thrown);
      throw thrown;
    }
  };
  const embed = async (): Promise<void> => {
    for await (const { window, z } of embedWindows(runtime, channel, { batchSize: batch, signal })) {
      run.receive(window, z);
      options.onWindow?.();
    }
  };
  try {
    options.signal.throwIfAborted();
    const produced = guarded(run.produce().then(() => channel.end()));
    const settled = await Promise.allSettled([produced, guarded(embed())]);
    options.signal.throwIfAborted();
    if (settled.some(({ status }) => status === 'rejected')) throw signal.reason;
  } finally {
    signal.removeEventListener('abort', abandon);
  }
  const result = run.result();
  if (!result) throw new Error('a track ended with windows missing');
  return result;
}
