/**
 * Worker entry: decodes and reads tags of unknown files, so that a decoder that hangs or eats memory can be killed
 * without harm to the rest. Speaks {@link DecodeRequest} and {@link DecodeReply} over `parentPort`.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { AudioError, decodeMono, fromSystemError, readTags } from '../../models/audio/index.ts';
import {
  toWireError,
  type DecodeReply,
  type DecodeRequest,
  type DecodeWorkerData,
  type ProbeResult,
} from './protocol.ts';

if (parentPort === null) throw new Error('The decode worker must run in a worker thread');
const port = parentPort;
const { memoryMb } = workerData as DecodeWorkerData;

// The WebAssembly decoders print every damaged frame; damage is reported through `warning` and `failed` instead.
console.error = () => undefined;

/** Samples sent at a time: fewer messages for formats with short frames. */
const MESSAGE_SAMPLES = 16_384;
/** Bytes hashed between two signs of life. */
const PROGRESS_BYTES = 16 * 1024 * 1024;

function send(reply: DecodeReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(reply, transfer);
}

/** The job in hand: cancelled through `controller`, allowed to send `credits` more chunks. */
class Job {
  readonly id: number;
  readonly controller = new AbortController();
  readonly buffersBefore = process.memoryUsage().arrayBuffers;
  #credits: number;
  #wake: (() => void) | null = null;

  constructor(id: number, credits: number) {
    this.id = id;
    this.#credits = credits;
    this.controller.signal.addEventListener('abort', () => this.#wake?.());
  }

  grant(): void {
    this.#credits++;
    this.#wake?.();
  }

  /** Waits until the host can take one more chunk. */
  async takeCredit(): Promise<void> {
    while (this.#credits === 0) {
      this.controller.signal.throwIfAborted();
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    this.controller.signal.throwIfAborted();
    this.#credits--;
  }
}

/**
 * Thread limits cover the JavaScript heap only; buffers of samples lie outside it. The memories of the WebAssembly
 * decoders do not grow and are left out. Only growth counts: what finished files left to be collected is not this one's.
 */
function checkMemory(job: Job, path: string): void {
  const used = (process.memoryUsage().arrayBuffers - job.buffersBefore) / 2 ** 20;
  if (used > memoryMb)
    throw new AudioError('corrupt', `Decoding needs more than ${memoryMb} MB of memory: ${path}`);
}

async function sendSamples(job: Job, path: string, pieces: Float32Array[]): Promise<void> {
  await job.takeCredit();
  const samples = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    samples.set(piece, offset);
    offset += piece.length;
  }
  send({ type: 'chunk', id: job.id, samples }, [samples.buffer]);
  checkMemory(job, path);
}

async function decode(job: Job, path: string, sampleRate: number): Promise<void> {
  const onWarning = (message: string): void => send({ type: 'warning', id: job.id, message });
  const { signal } = job.controller;
  let pieces: Float32Array[] = [];
  let held = 0;
  for await (const piece of decodeMono(path, { sampleRate, signal, onWarning })) {
    pieces.push(piece);
    held += piece.length;
    if (held < MESSAGE_SAMPLES) continue;
    await sendSamples(job, path, pieces);
    pieces = [];
    held = 0;
  }
  if (held > 0) await sendSamples(job, path, pieces);
  send({ type: 'end', id: job.id });
}

async function hashFile(job: Job, path: string): Promise<{ contentHash: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  let reported = 0;
  try {
    for await (const chunk of createReadStream(path, {
      highWaterMark: 256 * 1024,
      signal: job.controller.signal,
    })) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes - reported < PROGRESS_BYTES) continue;
      reported = bytes;
      send({ type: 'progress', id: job.id });
    }
  } catch (error) {
    job.controller.signal.throwIfAborted();
    throw fromSystemError(error, path);
  }
  return { contentHash: hash.digest('hex'), bytes };
}

async function probe(job: Job, path: string): Promise<void> {
  const tags = await readTags(path);
  send({ type: 'progress', id: job.id });
  const before = await stat(path);
  const result: ProbeResult = { ...tags, ...(await hashFile(job, path)) };
  if (result.bytes !== before.size)
    throw new AudioError('unreadable', `The file changed while it was read: ${path}`);
  send({ type: 'probed', id: job.id, result });
}

let current: Job | null = null;

function run(job: Job, path: string, work: Promise<void>): void {
  current = job;
  work.catch((error: unknown) => {
    const cancelled = job.controller.signal.aborted;
    const wire = cancelled
      ? { code: 'cancelled' as const, message: 'Cancelled', hint: '', container: null }
      : toWireError(error, path);
    send({ type: 'failed', id: job.id, error: wire });
  });
}

port.on('message', (request: DecodeRequest) => {
  if (request.type === 'decode') {
    const job = new Job(request.id, request.credits);
    run(job, request.path, decode(job, request.path, request.sampleRate));
  } else if (request.type === 'probe') {
    const job = new Job(request.id, 0);
    run(job, request.path, probe(job, request.path));
  } else if (current?.id === request.id) {
    if (request.type === 'credit') current.grant();
    else current.controller.abort();
  }
});

send({ type: 'ready' });
