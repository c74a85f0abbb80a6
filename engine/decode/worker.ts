/**
 * Worker entry: decodes and reads tags of unknown files, so that a decoder that hangs or eats memory can be killed
 * without harm to the rest. Serves {@link decodeContract}.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { workerData } from 'node:worker_threads';
import {
  AudioError,
  coverBeside,
  decodeMono,
  fileToOpen,
  fromSystemError,
  readTags,
} from '../../models/audio/index.ts';
import { Transfer, type CallContext } from '../wire/contract.ts';
import { serve } from '../wire/serve.ts';
import { insideWorker } from '../wire/transports/worker.ts';
import {
  decodeContract,
  decodeErrorCoding,
  type Decoded,
  type DecodeWorkerData,
  type ProbeResult,
} from './protocol.ts';

const { memoryMb } = workerData as DecodeWorkerData;

// The WebAssembly decoders print every damaged frame; damage is reported through warnings and errors instead.
console.error = () => undefined;

/** Samples sent at a time: fewer messages for formats with short frames. */
const MESSAGE_SAMPLES = 16_384;
/** Bytes hashed between two signs of life. */
const PROGRESS_BYTES = 16 * 1024 * 1024;

serve(
  insideWorker(),
  decodeContract,
  {
    probe: async ({ path }, context) => {
      context.alive();
      try {
        return await probe(path, context);
      } catch (error) {
        throw named(error, path, context);
      }
    },
    decode: async function* ({ path, sampleRate }, context) {
      context.alive();
      try {
        yield* decode(path, sampleRate, context);
      } catch (error) {
        throw named(error, path, context);
      }
    },
  },
  { toError: decodeErrorCoding },
);

/** A fault that is not named is damage of the file. */
function named(error: unknown, path: string, { signal }: CallContext): unknown {
  if (error instanceof AudioError || signal.aborted) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new AudioError('corrupt', `Decoding failed (${detail}): ${path}`);
}

/**
 * Thread limits cover the JavaScript heap only; buffers of samples lie outside it. The memories of the WebAssembly
 * decoders do not grow and are left out. Only growth counts: what finished files left to be collected is not this one's.
 */
function checkMemory(buffersBefore: number, path: string): void {
  const used = (process.memoryUsage().arrayBuffers - buffersBefore) / 2 ** 20;
  if (used > memoryMb)
    throw new AudioError('corrupt', `Decoding needs more than ${memoryMb} MB of memory: ${path}`);
}

async function* decode(
  path: string,
  sampleRate: number,
  { signal }: CallContext,
): AsyncGenerator<Transfer<Decoded> | Decoded, void> {
  const buffersBefore = process.memoryUsage().arrayBuffers;
  const warnings: Decoded[] = [];
  const onWarning = (warning: string): void => void warnings.push({ warning });
  let pieces: Float32Array[] = [];
  let held = 0;
  try {
    for await (const piece of decodeMono(path, { sampleRate, signal, onWarning })) {
      yield* warnings.splice(0);
      pieces.push(piece);
      held += piece.length;
      if (held < MESSAGE_SAMPLES) continue;
      yield joined(pieces, held);
      checkMemory(buffersBefore, path);
      pieces = [];
      held = 0;
    }
  } catch (error) {
    yield* warnings;
    throw error;
  }
  yield* warnings;
  if (held > 0) yield joined(pieces, held);
}

function joined(pieces: readonly Float32Array[], length: number): Transfer<Decoded> {
  const samples = new Float32Array(length);
  let offset = 0;
  for (const piece of pieces) {
    samples.set(piece, offset);
    offset += piece.length;
  }
  return new Transfer({ samples }, [samples.buffer]);
}

async function probe(path: string, context: CallContext): Promise<ProbeResult> {
  const tags = await readTags(path);
  context.alive();
  const cover = tags.cover ?? (await coverBeside(path));
  const before = await stat(fileToOpen(path));
  const result: ProbeResult = { ...tags, cover, ...(await hashFile(path, context)) };
  if (result.bytes !== before.size)
    throw new AudioError('unreadable', `The file changed while it was read: ${path}`);
  return result;
}

async function hashFile(
  path: string,
  { signal, alive }: CallContext,
): Promise<{ contentHash: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  let reported = 0;
  try {
    for await (const chunk of createReadStream(fileToOpen(path), { highWaterMark: 256 * 1024, signal })) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes - reported < PROGRESS_BYTES) continue;
      reported = bytes;
      alive();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw fromSystemError(error, path);
  }
  return { contentHash: hash.digest('hex'), bytes };
}
