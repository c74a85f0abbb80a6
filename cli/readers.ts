import { decodeLimits } from '../engine/decode/limits.ts';
import { inlineReaders } from '../engine/readers/inline.ts';
import { Readers } from '../engine/readers/readers.ts';
import { helpersOf } from './helpers.ts';
import type { Places } from './places.ts';

/** Readers of audio for a command that reads files beside the engine, one at a time. */
export function readersOf(places: Places): Readers {
  return new Readers({
    spawn: helpersOf(places).readers ?? inlineReaders,
    config: { decodeWorker: places.decodeWorker, threads: {}, decoders: 1, decodeLimits },
    ffmpeg: true,
  });
}
