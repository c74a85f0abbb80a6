import { PortListeners } from '../port.ts';
import type { Port } from '../port.ts';
import { insideChild } from './child-process.ts';

interface MessageEvent {
  data: unknown;
  ports: readonly unknown[];
}
/** `process.parentPort` of Electron's utility processes. */
interface ParentPort {
  on(event: 'message', listener: (event: MessageEvent) => void): void;
  once(event: 'message', listener: (event: MessageEvent) => void): void;
  postMessage(message: unknown): void;
}
/** A MessagePort of Electron, in main or in a utility process. */
interface ElectronPort {
  on(event: 'message', listener: (event: MessageEvent) => void): void;
  on(event: 'close', listener: () => void): void;
  postMessage(message: unknown): void;
  start(): void;
  close(): void;
}

/** A MessagePort of Electron. Nothing but ports can be moved: buffers are copied. */
export function electronPort(port: ElectronPort): Port {
  const listeners = new PortListeners();
  port.on('message', (event) => listeners.message(event.data, event.ports));
  port.on('close', () => listeners.close());
  return {
    post: (message) => port.postMessage(message),
    onMessage: (handler) => {
      listeners.onMessage(handler);
      port.start();
    },
    onUnreadable: listeners.onUnreadable,
    onClose: listeners.onClose,
    close: () => {
      port.close();
      listeners.close();
    },
  };
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

/**
 * The end inside a process that works for another one than main: main hands a utility process of Electron the port with
 * its first message; a process forked by Node has one already. It closes when the one it works for is gone.
 */
export function insideHelper(): Promise<Port> {
  const parent = parentPort();
  if (!parent) return Promise.resolve(insideChild());
  return new Promise((resolve, reject) => {
    parent.once('message', ({ ports: [port] }) => {
      if (isPort(port)) resolve(electronPort(port));
      else reject(new Error('No port came along.'));
    });
  });
}

/** What Electron hands over beside a message is nothing else. */
function isPort(value: unknown): value is ElectronPort {
  return typeof value === 'object' && value !== null && 'postMessage' in value;
}

function parentPort(): ParentPort | undefined {
  return (process as { parentPort?: ParentPort }).parentPort;
}
