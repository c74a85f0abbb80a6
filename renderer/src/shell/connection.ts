import { enginePortMessage } from '../../../engine/api/shell.ts';
import type { Port } from '../../../engine/wire/index.ts';
import { messagePort } from '../../../engine/wire/transports/message-port.ts';

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
    current = messagePort(received);
    onPort(current);
  };
  target.addEventListener('message', listen);
  return () => target.removeEventListener('message', listen);
}
