import { Worker } from 'node:worker_threads';
import { AudioError } from '../../models/audio/index.ts';
import type { DecodeReply, DecodeRequest, DecodeWorkerData } from './protocol.ts';

/** Receives what belongs to one job. */
export interface JobListener {
  onReply(reply: Exclude<DecodeReply, { type: 'ready' }>): void;
  /** The thread is gone before the job ended. */
  onDeath(error: Error): void;
}

/** A job that is told to stop and does not answer within this time takes its thread with it. */
const CANCEL_GRACE_MS = 1000;

/** One worker thread that does one job after the other. */
export class DecodeThread {
  readonly #worker: Worker;
  readonly #memoryMb: number;
  #ready = false;
  #dead = false;
  #jobId = 0;
  #listener: JobListener | null = null;
  #path = '';
  #grace: NodeJS.Timeout | null = null;

  /**
   * @param onIdle called when a job has ended and the thread can take the next one
   * @param onExit called once, when the thread is gone
   */
  constructor(url: URL | string, memoryMb: number, events: { onIdle: () => void; onExit: () => void }) {
    const workerData: DecodeWorkerData = { memoryMb };
    this.#memoryMb = memoryMb;
    this.#worker = new Worker(url, {
      workerData,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 32 },
    });
    this.#worker.on('message', (reply: DecodeReply) => {
      if (reply.type === 'ready') this.#ready = true;
      else this.#deliver(reply, events.onIdle);
    });
    this.#worker.on('error', (error: unknown) => this.#die(this.#describe(error)));
    this.#worker.on('exit', (code) => {
      this.#die(new AudioError('corrupt', `The decoder ended with code ${code}: ${this.#path}`));
      events.onExit();
    });
  }

  /** Starts a job. The thread must be idle. */
  start(
    listener: JobListener,
    job: { type: 'probe'; path: string } | Omit<DecodeRequest & { type: 'decode' }, 'id'>,
  ): void {
    this.#jobId++;
    this.#path = job.path;
    this.#listener = listener;
    this.#worker.ref();
    this.#post({ ...job, id: this.#jobId });
  }

  /** Lets the job send one more chunk. */
  grant(): void {
    this.#post({ type: 'credit', id: this.#jobId });
  }

  /** Stops the job; its listener hears nothing more. The thread becomes idle again, or dies. */
  cancel(): void {
    if (this.#listener === null) return;
    this.#listener = { onReply: () => undefined, onDeath: () => undefined };
    this.#post({ type: 'cancel', id: this.#jobId });
    this.#grace ??= setTimeout(() => void this.kill(), CANCEL_GRACE_MS);
  }

  /** Ends the thread at once, even inside an endless loop. */
  async kill(): Promise<void> {
    this.#dead = true;
    this.#clearGrace();
    await this.#worker.terminate();
  }

  /** An idle thread does not keep the process alive. */
  rest(): void {
    this.#worker.unref();
  }

  get dead(): boolean {
    return this.#dead;
  }

  #post(request: DecodeRequest): void {
    if (!this.#dead) this.#worker.postMessage(request);
  }

  #deliver(reply: Exclude<DecodeReply, { type: 'ready' }>, onIdle: () => void): void {
    if (reply.id !== this.#jobId) return;
    const listener = this.#listener;
    const ended = reply.type === 'end' || reply.type === 'failed' || reply.type === 'probed';
    if (ended) {
      this.#listener = null;
      this.#clearGrace();
    }
    listener?.onReply(reply);
    if (ended && !this.#dead) onIdle();
  }

  #die(error: Error): void {
    this.#dead = true;
    this.#clearGrace();
    const listener = this.#listener;
    this.#listener = null;
    listener?.onDeath(error);
  }

  #clearGrace(): void {
    if (this.#grace) clearTimeout(this.#grace);
    this.#grace = null;
  }

  #describe(error: unknown): Error {
    const detail = error instanceof Error ? error.message : String(error);
    // A thread that never came up says nothing about the file.
    if (!this.#ready) return new Error(`The decode worker does not start: ${detail}`, { cause: error });
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const what =
      code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? `needed more than ${this.#memoryMb} MB of memory`
        : `failed (${detail})`;
    return new AudioError('corrupt', `The decoder ${what}: ${this.#path}`, { cause: error });
  }
}
