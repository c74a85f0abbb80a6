import { fork } from 'node:child_process';
import type { Port } from '../wire/port.ts';
import { childPort, ProcessExit } from '../wire/transports/child-process.ts';
import { endLeftovers } from './leftover-group.ts';
import { MEMORY_VARIABLE } from './memory.ts';

/** A process that works for the engine with less than its rights, as the engine sees it. */
export interface HelperProcess {
  /** Closing it kills the process. */
  readonly port: Port;
  /** Resolves when it is gone and holds nothing any more. */
  readonly ended: Promise<void>;
}

/** @param memoryLimit bytes; the process is ended when it takes more */
export type SpawnHelper = (memoryLimit: number) => HelperProcess;

/** A child process of plain Node. @param entry a bundled entry that calls `enterHelper` */
export function forkHelper(entry: string): SpawnHelper {
  return (memoryLimit) => {
    const child = fork(entry, [], {
      env: { ...process.env, [MEMORY_VARIABLE]: String(memoryLimit) },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.once('exit', () => endLeftovers(child.pid));
    return {
      port: childPort(child),
      ended: new Promise((resolve) => child.once('close', () => resolve())),
    };
  };
}

/** How a process ended: `memory` when it, or the system, found that it took too much. */
export type HelperEnd = 'memory' | 'crash';

/** SIGKILL comes from the watch inside the process, or from a system without memory. */
export function endOf(reason: Error | undefined): HelperEnd {
  if (!(reason instanceof ProcessExit)) return 'crash';
  const { exitCode, signal } = reason;
  return signal === 'SIGKILL' || exitCode === 9 || exitCode === 137 ? 'memory' : 'crash';
}
