/**
 * Entry of an embedder process: a forked Node process, or a utility process of Electron whose first message carries the
 * port to the engine. ONNX Runtime computes on this process's only JavaScript thread; a thread beside it watches memory.
 */
import { z } from 'zod';
import type { EmbedderPort } from './protocol.ts';
import { serveEmbedder } from './serve.ts';
import { MEMORY_VARIABLE } from './limits.ts';
import { watchMemory } from './watch-memory.ts';

interface TransferredPort {
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
  on(event: 'close', listener: () => void): void;
  postMessage(message: unknown): void;
  start(): void;
}
/** `process.parentPort` of Electron's utility processes. */
interface UtilityPort {
  once(event: 'message', listener: (event: { ports: TransferredPort[] }) => void): void;
}

const limit = z.coerce.number().positive().optional().parse(process.env[MEMORY_VARIABLE]);
if (limit !== undefined) watchMemory(limit);
const { parentPort } = process as { parentPort?: UtilityPort };

if (parentPort) {
  parentPort.once('message', ({ ports: [port] }) => {
    if (!port) throw new Error('no port to the engine came along');
    // The engine is gone: main starts another process for the next one.
    port.on('close', () => process.exit(0));
    serveEmbedder({
      post: (message) => port.postMessage(message),
      onMessage: (handler) => port.on('message', (event) => handler(event.data)),
    });
    port.start();
  });
} else {
  // Ctrl-C goes to every process of the terminal; the engine decides when this one ends.
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit(0));
  const port: EmbedderPort = {
    // The engine may have been killed meanwhile: there is nobody to tell, and nothing to say about it.
    post: (message) => {
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
    },
    onMessage: (handler) => process.on('message', handler),
  };
  serveEmbedder(port);
}
