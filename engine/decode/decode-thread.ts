import { Worker } from 'node:worker_threads';
import { AudioError } from '../../models/audio/index.ts';
import { connect } from '../wire/connect.ts';
import type { Client, Connection } from '../wire/contract.ts';
import { workerPort, WorkerExit } from '../wire/transports/worker.ts';
import { decodeContract, type DecodeContract, type DecodeWorkerData } from './protocol.ts';

/** A call that is told to stop and does not end within this time takes its thread with it. */
const CANCEL_GRACE_MS = 1000;

/**
 * Samples lie outside the heap, and are freed when the small objects that hold them are collected. In a heap that has room
 * for many of those nothing is collected until V8 finds too much outside, and goes through all of it.
 */
const YOUNG_MB = 4;

/** One worker thread that works on one file after the other. */
export class DecodeThread {
  readonly #worker: Worker;
  readonly #connection: Connection<DecodeContract>;
  readonly #memoryMb: number;
  #ready = false;
  #dead = false;
  #path = '';

  /** @param onExit called once, when the thread is gone */
  constructor(url: URL | string, memoryMb: number, onExit: () => void) {
    const workerData: DecodeWorkerData = { memoryMb };
    this.#memoryMb = memoryMb;
    this.#worker = new Worker(url, {
      workerData,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker.once('message', () => (this.#ready = true));
    this.#connection = connect(workerPort(this.#worker), decodeContract, {
      lost: (reason) => {
        this.#dead = true;
        return this.#describe(reason);
      },
    });
    this.#worker.once('exit', onExit);
  }

  /** @param path the file that the thread's next call is about; the thread must be idle */
  work(path: string): Client<DecodeContract> {
    this.#path = path;
    this.#worker.ref();
    return this.#connection;
  }

  /** Resolves when the thread can take the next call, or is dead. What was told to stop and does not, kills it. */
  async free(): Promise<void> {
    const grace = setTimeout(() => void this.kill(), CANCEL_GRACE_MS);
    await this.#connection.idle();
    clearTimeout(grace);
  }

  /** Ends the thread at once, even inside an endless loop. */
  async kill(): Promise<void> {
    this.#dead = true;
    await this.#worker.terminate();
  }

  /** An idle thread does not keep the process alive. */
  rest(): void {
    this.#worker.unref();
  }

  get dead(): boolean {
    return this.#dead;
  }

  #describe(reason: Error | undefined): Error {
    if (reason instanceof WorkerExit)
      return new AudioError('corrupt', `The decoder ended with code ${reason.exitCode}: ${this.#path}`);
    const detail = reason?.message ?? 'no reason given';
    // A thread that never came up says nothing about the file.
    if (!this.#ready) return new Error(`The decode worker does not start: ${detail}`, { cause: reason });
    const outOfMemory = reason && 'code' in reason && reason.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const what = outOfMemory ? `needed more than ${this.#memoryMb} MB of memory` : `failed (${detail})`;
    return new AudioError('corrupt', `The decoder ${what}: ${this.#path}`, { cause: reason });
  }
}
