/** What carries tasks and answers, as both ends see it. Nothing here knows a server. */

import type { WorkerStatus } from '../api/queue.ts';

/** A task that this worker holds until it answers; without a sign of life it goes to another one. */
export interface LeasedTask {
  readonly libraryId: string;
  readonly key: string;
  readonly bytes: Uint8Array;
  /** How often it was handed out, this time included. */
  readonly deliveries: number;
  /** A sign of life. */
  working(): void;
  /** It was answered and is over. */
  done(): Promise<void>;
  /** Somebody else may have it at once, or after a while. */
  handBack(afterMs?: number): void;
}

/** Where a worker gets its work. */
export interface WorkSource {
  /** The next task, the urgent ones of all libraries first; null when there was none for a second or two, or on abort. */
  take(signal: AbortSignal): Promise<LeasedTask | null>;
  /** Resolves once the answer is kept, or nobody wants it any more. @throws the signal's reason */
  answer(task: LeasedTask, answer: Uint8Array, signal: AbortSignal): Promise<void>;
  /**
   * Asks the library's machine for the audio of a task and writes it into a file.
   * @returns false when that machine is away, or has no room for it on the server, for too long
   * @throws EngineError `queue` when it is another file; the signal's reason
   */
  fetchAudio(libraryId: string, contentHash: string, path: string, signal: AbortSignal): Promise<boolean>;
  /** From now on it is told who this is whenever somebody asks. */
  present(status: () => WorkerStatus): void;
  /**
   * Writes what has this hash into a file.
   * @returns false when it is not there
   * @throws EngineError `queue` when it has another hash; the signal's reason
   */
  fetchFile(sha256: string, path: string, signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

/** An answer that waits until it is stored. */
export interface DeliveredAnswer {
  /** Who says that it answers which task. */
  readonly worker: string;
  readonly key: string;
  readonly bytes: Uint8Array;
  /** It was stored, or nobody wants it; it does not come again. */
  readonly done: () => void;
}

/** The queue of one library, as the library's machine sees it. */
export interface TaskBoard {
  /** Hangs out a task. One that hangs out already, or is being worked at, stays as it is. @returns whether it is new there */
  offer(key: string, task: Uint8Array, urgent: boolean): Promise<boolean>;
  /** Answers as they come, also those that came while nobody was here. Ends on abort. */
  answers(signal: AbortSignal): AsyncIterable<DeliveredAnswer>;
  /** Answers that were not handed out yet, or are not stored. */
  unread(): Promise<number>;
  /** Puts a file where workers find it by its hash. */
  putFile(sha256: string, path: string): Promise<void>;
  /** @param find where the audio of a content lies; null: nobody asked for it */
  serveAudio(find: (contentHash: string) => string | null): void;
  /** Nobody needs this audio on the server any more. */
  dropAudio(contentHash: string): void;
  /** Tells a worker that its answers are not wanted. */
  setAside(worker: string): void;
  /** How many workers are there. */
  workers(): Promise<WorkerStatus[]>;
  /** Takes down what hangs out and is not worked at. */
  clear(): Promise<void>;
  /** Everything is over: nothing of the library stays on the server. */
  remove(): Promise<void>;
  /** What hangs out stays, and answers wait. */
  close(): Promise<void>;
}
