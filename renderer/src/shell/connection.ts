import type { Port } from '../../../engine/api/rpc.ts';
import { enginePortMessage } from '../../../engine/api/shell.ts';

/** A browser MessagePort as the port the contract is carried over. */
function browserPort(port: MessagePort): Port {
  const closers = new Set<() => void>();
  let open = true;
  const shut = (): void => {
    if (!open) return;
    open = false;
    for (const close of closers) close();
  };
  port.addEventListener('close', shut);
  return {
    post: (message) => port.postMessage(message),
    onMessage: (handler) => {
      port.addEventListener('message', (event: MessageEvent<unknown>) => handler(event.data));
      port.start();
    },
    onClose: (handler) => closers.add(handler),
    close: () => {
      port.close();
      shut();
    },
  };
}

/**
 * Calls back with a port each time the engine process starts. Only messages from this very window count: the preload
 * script posts them there, and nothing else can.
 */
export function listenForEngine(target: Window, onPort: (port: Port) => void): () => void {
  let current: Port | null = null;
  const listen = (event: MessageEvent<unknown>): void => {
    if (event.source !== target || event.data !== enginePortMessage) return;
    const received = event.ports[0];
    if (!received) return;
    // An engine that was killed may leave its old port open; whatever waits on it must fail now.
    current?.close();
    current = browserPort(received);
    onPort(current);
  };
  target.addEventListener('message', listen);
  return () => target.removeEventListener('message', listen);
}
