import { fork } from 'node:child_process';
import { MEMORY_VARIABLE } from './limits.ts';
import type { EmbedderPort } from './protocol.ts';
import { serveEmbedder } from './serve.ts';

/** How a process ended: `memory` when it, or the system, found that it took too much. */
export type EmbedderEnd = 'memory' | 'crash';

/** A process that runs the graphs of packs, as its owner sees it. */
export interface EmbedderProcess extends EmbedderPort {
  /** Not called after `kill`. */
  onEnd(handler: (end: EmbedderEnd) => void): void;
  kill(): void;
  /** Resolves when it is gone and holds nothing any more. */
  readonly ended: Promise<void>;
}

/** Starts an embedder process; the first one is started when the first graph is to be run. */
export type SpawnEmbedder = (memoryLimit: number) => EmbedderProcess;

/** A child process of plain Node. @param entry the bundled `entry.ts` */
export function childEmbedder(entry: string): SpawnEmbedder {
  return (memoryLimit) => {
    const child = fork(entry, [], {
      env: { ...process.env, [MEMORY_VARIABLE]: String(memoryLimit) },
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    let over = false;
    return {
      ended: new Promise((resolve) => child.once('close', () => resolve())),
      post: (message) => {
        // Whoever asks a process that has just ended is told by `onEnd`.
        if (child.connected) child.send(message as object, () => undefined);
      },
      onMessage: (handler) => child.on('message', handler),
      onEnd: (handler) => {
        const end = (kind: EmbedderEnd): void => {
          if (over) return;
          over = true;
          handler(kind);
        };
        // More than one may come, and one that nobody hears would end the engine.
        child.on('error', () => end('crash'));
        child.once('exit', (code, signal) => end(endOf(code, signal)));
      },
      kill: () => {
        over = true;
        child.kill('SIGKILL');
      },
    };
  };
}

/** SIGKILL comes from the watch inside the process, or from a system without memory. */
export function endOf(code: number | null, signal: string | null = null): EmbedderEnd {
  return signal === 'SIGKILL' || code === 9 || code === 137 ? 'memory' : 'crash';
}

/** No process at all: graphs run on the calling thread. For tests, and where no bundle is beside the code. */
export const inlineEmbedder: SpawnEmbedder = () => {
  const toInside: ((message: unknown) => void)[] = [];
  const toOutside: ((message: unknown) => void)[] = [];
  const inside = serveEmbedder({
    post: (message) => toOutside.forEach((handler) => handler(message)),
    onMessage: (handler) => toInside.push(handler),
  });
  let gone: () => void = () => undefined;
  return {
    ended: new Promise((resolve) => (gone = resolve)),
    post: (message) => toInside.forEach((handler) => handler(message)),
    onMessage: (handler) => toOutside.push(handler),
    onEnd: () => undefined,
    kill: () => void inside.close().then(gone, gone),
  };
};
