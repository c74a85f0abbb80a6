import { fork } from 'node:child_process';
import { unconfined } from '../confine/confine.ts';
import type { Port } from '../wire/port.ts';
import { childPort, ProcessExit } from '../wire/transports/child-process.ts';
import { portPair } from '../wire/transports/in-process.ts';
import { MEMORY_VARIABLE } from './limits.ts';
import { serveEmbedder } from './serve.ts';

/** A process that serves `embedderContract`, as its owner sees it. */
export interface EmbedderProcess {
  /** Closing it kills the process. */
  readonly port: Port;
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
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    return {
      port: childPort(child),
      ended: new Promise((resolve) => child.once('close', () => resolve())),
    };
  };
}

/** How a process ended: `memory` when it, or the system, found that it took too much. */
export type EmbedderEnd = 'memory' | 'crash';

/** SIGKILL comes from the watch inside the process, or from a system without memory. */
export function endOf(reason: Error | undefined): EmbedderEnd {
  if (!(reason instanceof ProcessExit)) return 'crash';
  const { exitCode, signal } = reason;
  return signal === 'SIGKILL' || exitCode === 9 || exitCode === 137 ? 'memory' : 'crash';
}

/** No process at all: graphs run on the calling thread. For tests, and where no bundle is beside the code. */
export const inlineEmbedder: SpawnEmbedder = () => {
  const [here, there] = portPair();
  const inside = serveEmbedder(there, unconfined('graphs run in the process of the engine'));
  return {
    port: here,
    ended: new Promise((resolve) => there.onClose(() => void inside.close().then(resolve, resolve))),
  };
};
