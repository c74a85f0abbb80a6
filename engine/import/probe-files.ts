import { AudioError } from '../../models/audio/index.ts';
import type { AudioDecoder, ProbeResult } from '../decode/index.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { ScannedFile } from '../files/scan.ts';

/** Probes are stored in groups of this many: one transaction each would wait for the disk thousands of times. */
const GROUP = 32;

export interface ProbedFile {
  file: ScannedFile;
  /** What the probe told, or why there was none. */
  outcome: { probe: ProbeResult } | { reason: AudioError };
}

/**
 * Reads tags and hashes of files in the decode workers, several at once.
 * @param onGroup gets the outcomes in groups, to be stored together
 */
export async function probeFiles(
  files: readonly ScannedFile[],
  options: {
    decode: AudioDecoder;
    workers: number;
    job: JobHandle;
    absolutePath: (path: string) => string;
    onProbe: (file: ScannedFile) => void;
    onGroup: (group: ProbedFile[]) => void;
  },
): Promise<void> {
  const { decode, job, absolutePath } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([job.signal, stop.signal]);
  const queue = files[Symbol.iterator]();
  let group: ProbedFile[] = [];

  const work = async (): Promise<void> => {
    for (const file of queue) {
      await job.checkpoint();
      signal.throwIfAborted();
      options.onProbe(file);
      try {
        group.push({ file, outcome: { probe: await decode.probe(absolutePath(file.path), signal) } });
      } catch (thrown) {
        if (!(thrown instanceof AudioError)) throw thrown;
        group.push({ file, outcome: { reason: thrown } });
      }
      if (group.length >= GROUP) options.onGroup(group.splice(0));
    }
  };
  const workers = Array.from({ length: Math.max(1, options.workers) }, async () => {
    try {
      await work();
    } catch (thrown) {
      stop.abort(thrown);
      throw thrown;
    }
  });
  const settled = await Promise.allSettled(workers);
  job.signal.throwIfAborted();
  for (const outcome of settled) if (outcome.status === 'rejected') throw signal.reason;
  options.onGroup(group);
  group = [];
}
