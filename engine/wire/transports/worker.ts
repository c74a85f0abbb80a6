import { parentPort } from 'node:worker_threads';
import type { Transferable as NodeTransferable, Worker } from 'node:worker_threads';
import { PortListeners } from '../port.ts';
import type { Port } from '../port.ts';

/** The end of a worker thread in the process that started it; closing it ends the thread at once. */
export function workerPort(worker: Worker): Port {
  const listeners = new PortListeners();
  let failure: Error | undefined;
  worker.on('message', (message) => listeners.message(message));
  worker.on('messageerror', () => listeners.unreadable());
  worker.on('error', (error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error));
  });
  // Always follows an error, and what the thread had said before is read by then.
  worker.on('exit', (code) => listeners.close(failure ?? new WorkerExit(code)));
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer] as NodeTransferable[]),
    onMessage: listeners.onMessage,
    onUnreadable: listeners.onUnreadable,
    onClose: listeners.onClose,
    close: () => void worker.terminate(),
  };
}

/** A thread ended without an error of its own. */
export class WorkerExit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`ended with code ${exitCode}`);
    this.name = 'WorkerExit';
    this.exitCode = exitCode;
  }
}

/** The end inside the worker thread. */
export function insideWorker(): Port {
  if (parentPort === null) throw new Error('This file must run in a worker thread.');
  const port = parentPort;
  const listeners = new PortListeners();
  port.on('message', (message) => listeners.message(message));
  port.on('messageerror', () => listeners.unreadable());
  port.on('close', () => listeners.close());
  return {
    post: (message, transfer = []) => port.postMessage(message, [...transfer] as NodeTransferable[]),
    onMessage: listeners.onMessage,
    onUnreadable: listeners.onUnreadable,
    onClose: listeners.onClose,
    close: () => port.close(),
  };
}
