import * as z from 'zod';
import type { Confinement } from '../api/app.ts';
import { createFfmpegDecoder, DecodePool } from '../decode/index.ts';
import { kill, letGo } from '../decode/end-program.ts';
import { decodeOutside } from '../decode/outside.ts';
import type { Decoded } from '../decode/protocol.ts';
import { threadsHere } from '../threads/ask.ts';
import { query, Transfer } from '../wire/contract.ts';
import type { Port } from '../wire/port.ts';
import { serve } from '../wire/serve.ts';
import { readersContract, type ReadersConfig } from './contract.ts';
import { readerErrorCoding } from './errors.ts';

/** Reads files of others for whoever is at the other end: the inside of a reader process. */
export function serveReaders(port: Port, confinement: Confinement): { close: () => Promise<void> } {
  // One that was confined may signal nobody, and leads the group of its programs.
  const ffmpeg = createFfmpegDecoder(undefined, confinement.calls ? letGo : kill);
  let started: { config: ReadersConfig; pool: DecodePool } | null = null;
  const ready = (): { config: ReadersConfig; pool: DecodePool } => {
    if (started) return started;
    throw new Error('The readers were not started.');
  };

  serve(
    port,
    readersContract,
    {
      start: (config) => {
        const pool = new DecodePool({
          workerUrl: config.decodeWorker,
          workers: config.decoders,
          limits: config.decodeLimits,
        });
        started = { config, pool };
        return Promise.resolve(confinement);
      },
      probe: ({ path }, { signal }) => ready().pool.probe(path, signal),
      decode: ({ path, sampleRate }, { signal }) =>
        pieces((onWarning) => ready().pool.decode(path, { sampleRate, signal, onWarning })),
      convert: ({ path, ...options }, { signal }) =>
        pieces((onWarning) => {
          const limits = ready().config.decodeLimits;
          return decodeOutside(ffmpeg, path, { ...options, limits, signal, onWarning });
        }),
      ask: ({ thread, method, input, limits }, { signal }) =>
        threadsHere(ready().config.threads)(
          thread,
          { [method]: query<unknown>()(z.unknown()) },
          method,
          input,
          { limits, signal },
        ),
    },
    // Files wait for their turn in the engine.
    { toError: readerErrorCoding, running: 10_000 },
  );
  return { close: async () => started?.pool.close() };
}

/** Samples and what is wrong with them, in one stream. */
async function* pieces(
  begin: (onWarning: (warning: string) => void) => AsyncIterable<Float32Array>,
): AsyncGenerator<Decoded | Transfer<Decoded>, void> {
  const warnings: Decoded[] = [];
  try {
    for await (const samples of begin((warning) => void warnings.push({ warning }))) {
      yield* warnings.splice(0);
      const own = samples.byteLength === samples.buffer.byteLength ? samples : samples.slice();
      yield new Transfer({ samples: own }, [own.buffer as ArrayBuffer]);
    }
  } catch (error) {
    yield* warnings;
    throw error;
  }
  yield* warnings;
}
