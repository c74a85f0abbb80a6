import { PortListeners } from '../port.ts';
import type { Port } from '../port.ts';

/** A MessagePort of a browser or of Node. */
export function messagePort(port: MessagePort): Port {
  const listeners = new PortListeners();
  port.addEventListener('message', (event: MessageEvent<unknown>) =>
    listeners.message(event.data, event.ports),
  );
  port.addEventListener('messageerror', () => listeners.unreadable());
  port.addEventListener('close', () => listeners.close());
  return {
    post: (message, transfer = []) => port.postMessage(message, [...transfer]),
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
