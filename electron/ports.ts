/** Electron's own channels as transports of the wire. */
import type { MessagePortMain, UtilityProcess } from 'electron';
import { PortListeners } from '../engine/wire/port.ts';
import type { Port } from '../engine/wire/index.ts';
import { ProcessExit } from '../engine/wire/transports/child-process.ts';

/** The end of a utility process in main, once it has been spawned; closing it kills the process. */
export function utilityPort(child: UtilityProcess): Port {
  const listeners = new PortListeners();
  child.on('message', (message) => listeners.message(message));
  child.on('exit', (code) => listeners.close(new ProcessExit(code, null)));
  return {
    // Only ports are handed over here, see `movable`.
    post: (message, transfer = []) => child.postMessage(message, transfer as unknown as MessagePortMain[]),
    onMessage: listeners.onMessage,
    onUnreadable: listeners.onUnreadable,
    onClose: listeners.onClose,
    close: () => void child.kill(),
  };
}

/** Ports of Electron for `transfer`: the wire is typed by what browsers and Node can move. */
export function movable(...ports: MessagePortMain[]): readonly Transferable[] {
  return ports;
}

/** The port that came along with a call. @throws Error when none did */
export function portOf([port]: readonly unknown[]): MessagePortMain {
  if (isPort(port)) return port;
  throw new Error('No port came along.');
}

/** What Electron hands over beside a message is nothing else. */
function isPort(value: unknown): value is MessagePortMain {
  return typeof value === 'object' && value !== null && 'postMessage' in value;
}
