import type { ChildProcess } from 'node:child_process';
import { PortListeners } from '../port.ts';
import type { Port } from '../port.ts';

/**
 * The end of a forked Node process in the process that forked it, with `serialization: 'advanced'`. Nothing can be moved:
 * buffers are copied. Closing it kills the process.
 */
export function childPort(child: ChildProcess): Port {
  const listeners = new PortListeners();
  child.on('message', (message) => listeners.message(message));
  child.on('error', (error) => listeners.close(error));
  child.on('exit', (code, signal) => listeners.close(new ProcessExit(code, signal)));
  return {
    post: (message) => {
      if (child.connected) child.send(message as object, () => undefined);
    },
    onMessage: listeners.onMessage,
    onUnreadable: listeners.onUnreadable,
    onClose: listeners.onClose,
    close: () => void child.kill('SIGKILL'),
  };
}

/** A process ended. */
export class ProcessExit extends Error {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;

  constructor(exitCode: number | null, signal: NodeJS.Signals | null) {
    super(signal === null ? `ended with status ${exitCode ?? '?'}` : `ended with ${signal}`);
    this.name = 'ProcessExit';
    this.exitCode = exitCode;
    this.signal = signal;
  }
}

/** The end inside a forked Node process. */
export function insideChild(): Port {
  if (process.send === undefined) throw new Error('This file must run in a forked process.');
  const listeners = new PortListeners();
  process.on('message', (message) => listeners.message(message));
  process.on('disconnect', () => listeners.close());
  return {
    post: (message) => {
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
    },
    onMessage: listeners.onMessage,
    onUnreadable: listeners.onUnreadable,
    onClose: listeners.onClose,
    close: () => process.disconnect(),
  };
}
