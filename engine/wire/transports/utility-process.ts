import { PortListeners } from '../port.ts';
import type { Port } from '../port.ts';
import { insideChild } from './child-process.ts';

/** `process.parentPort` of Electron's utility processes. */
interface ParentPort {
  on(event: 'message', listener: (event: { data: unknown; ports: readonly unknown[] }) => void): void;
  postMessage(message: unknown): void;
}

/** The end inside a utility process of Electron. Such a process ends with the one that started it: nobody is told. */
export function insideUtility(): Port {
  const port = parentPort();
  if (!port) throw new Error('This file must run in a utility process.');
  const listeners = new PortListeners();
  port.on('message', ({ data, ports }) => listeners.message(data, ports));
  return {
    post: (message) => port.postMessage(message),
    onMessage: listeners.onMessage,
    onUnreadable: listeners.onUnreadable,
    onClose: listeners.onClose,
    close: () => undefined,
  };
}

/** The end inside a process that is either a utility process of Electron or a forked one of Node. */
export function insideProcess(): Port {
  return parentPort() ? insideUtility() : insideChild();
}

function parentPort(): ParentPort | undefined {
  return (process as { parentPort?: ParentPort }).parentPort;
}
