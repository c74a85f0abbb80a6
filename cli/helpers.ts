import { decodeLimits } from '../engine/decode/index.ts';
import type { EngineOptions } from '../engine/engine.ts';
import { forkHelper } from '../engine/helpers/process.ts';
import { inlineReaders } from '../engine/readers/inline.ts';
import { Readers } from '../engine/readers/readers.ts';
import type { Places } from './places.ts';

/** The processes that work for the engine with less than its rights; where one was not built its work is done in this one. */
export function helpersOf({
  embedder,
  readers,
}: Pick<Places, 'embedder' | 'readers'>): Pick<EngineOptions, 'embedder' | 'readers'> {
  return {
    ...(embedder === null ? {} : { embedder: forkHelper(embedder) }),
    ...(readers === null ? {} : { readers: forkHelper(readers) }),
  };
}

/** Readers of audio for a command that reads files beside the engine, one at a time. */
export function readersOf(places: Places): Readers {
  return new Readers({
    spawn: helpersOf(places).readers ?? inlineReaders,
    config: { decodeWorker: places.decodeWorker, threads: {}, decoders: 1, decodeLimits },
    ffmpeg: true,
  });
}
