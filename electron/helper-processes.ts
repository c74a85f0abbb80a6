import { MessageChannelMain, utilityProcess } from 'electron';
import type { MessagePortMain, UtilityProcess } from 'electron';
import { endLeftovers } from '../engine/helpers/leftover-group.ts';
import { MEMORY_VARIABLE } from '../engine/helpers/memory.ts';
import type { HelperKind } from './engine-contract.ts';
import { paths } from './paths.ts';

const kinds: Record<HelperKind, { entry: string; serviceName: string }> = {
  embedder: { entry: paths.embedder, serviceName: 'Archetone embedder' },
  readers: { entry: paths.readers, serviceName: 'Archetone readers' },
};

/** The utility processes that work for the engine with less than its rights; they end with the engine that asked for them. */
export class HelperProcesses {
  private readonly running = new Map<number, UtilityProcess>();
  /** Those that were to end before they were spawned. */
  private readonly ended = new WeakSet<UtilityProcess>();

  /**
   * @param connect takes the engine's end of the port
   * @param signal aborts when the engine that asked is gone
   * @returns the exit code, once the process is gone
   */
  run(
    id: number,
    kind: HelperKind,
    memoryLimit: number,
    connect: (port: MessagePortMain) => void,
    signal: AbortSignal,
  ): Promise<number> {
    const { entry, serviceName } = kinds[kind];
    const child = utilityProcess.fork(entry, [], {
      serviceName,
      stdio: 'inherit',
      env: { ...process.env, [MEMORY_VARIABLE]: String(memoryLimit) },
    });
    this.running.set(id, child);
    let pid: number | undefined;
    child.on('spawn', () => {
      // Forgotten once the process is gone.
      pid = child.pid;
      if (signal.aborted || this.ended.delete(child)) {
        killNow(child);
        return;
      }
      const { port1, port2 } = new MessageChannelMain();
      child.postMessage(null, [port1]);
      connect(port2);
    });
    const orphaned = (): void => killNow(child);
    signal.addEventListener('abort', orphaned, { once: true });
    return new Promise((resolve) => {
      child.on('exit', (code) => {
        signal.removeEventListener('abort', orphaned);
        endLeftovers(pid);
        // Another engine may have started one of the same number meanwhile.
        if (this.running.get(id) === child) this.running.delete(id);
        resolve(code);
      });
    });
  }

  end(id: number): void {
    const child = this.running.get(id);
    if (!child) return;
    if (child.pid === undefined) this.ended.add(child);
    killNow(child);
  }
}

/** Not an orderly end: what computes without an end answers nothing. What has not been spawned cannot be ended yet. */
function killNow(child: UtilityProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(child.pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}
