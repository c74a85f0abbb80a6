/** Electron's own channels as transports of the wire. */
import type { MessagePortMain } from 'electron';
import { PortListeners } from '../engine/wire/port.ts';
import type { Port } from '../engine/wire/index.ts';

/** A MessagePort in main or in a utility process. Nothing but ports can be moved: buffers are copied. */
export function mainPort(port: MessagePortMain): Port {
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
