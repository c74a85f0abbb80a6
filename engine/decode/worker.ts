/**
 * Worker entry: decodes and reads tags of unknown files, so that a decoder that hangs or eats memory can be killed
 * without harm to the rest. Serves {@link decodeContract}.
 */
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
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

/**
 * Samples sent at a time: a window of the embedded pack, which is then not copied again. A message on its way through three
 * processes costs as much as many thousands of samples.
 */
const MESSAGE_SAMPLES = 96_000;
/** What is hashed at a time; the thread has one call at a time. */
const hashed = Buffer.alloc(512 * 1024);
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
  let message = new Float32Array(MESSAGE_SAMPLES);
  let held = 0;
  try {
    for await (const piece of decodeMono(path, { sampleRate, signal, onWarning })) {
      yield* warnings.splice(0);
      for (let taken = 0; taken < piece.length;) {
        const part = piece.subarray(taken, taken + MESSAGE_SAMPLES - held);
        message.set(part, held);
        taken += part.length;
        held += part.length;
        if (held < MESSAGE_SAMPLES) continue;
        yield moved(message);
        checkMemory(buffersBefore, path);
        message = new Float32Array(MESSAGE_SAMPLES);
        held = 0;
      }
    }
  } catch (error) {
    yield* warnings;
    throw error;
  }
  yield* warnings;
  if (held > 0) yield moved(message.slice(0, held));
}

function moved(samples: Float32Array<ArrayBuffer>): Transfer<Decoded> {
  return new Transfer({ samples }, [samples.buffer]);
}

async function probe(path: string, context: CallContext): Promise<ProbeResult> {
  const tags = await readTags(path);
  context.alive();
  const beside = tags.cover ? null : await coverBeside(path);
  const cover = tags.cover ?? beside?.cover ?? null;
  const coverProblem = cover ? null : (tags.coverProblem ?? beside?.problem ?? null);
  const before = await stat(fileToOpen(path));
  const result: ProbeResult = { ...tags, cover, coverProblem, ...(await hashFile(path, context)) };
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
    const file = await open(fileToOpen(path));
    try {
      for (;;) {
        signal.throwIfAborted();
        const { bytesRead } = await file.read(hashed, 0, hashed.length, bytes);
        if (bytesRead === 0) break;
        hash.update(hashed.subarray(0, bytesRead));
        bytes += bytesRead;
        if (bytes - reported < PROGRESS_BYTES) continue;
        reported = bytes;
        alive();
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw fromSystemError(error, path);
  }
  return { contentHash: hash.digest('hex'), bytes };
}
