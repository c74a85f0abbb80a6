import { MessageChannelMain, utilityProcess } from 'electron';
import type { MessagePortMain, UtilityProcess } from 'electron';
import { MEMORY_VARIABLE } from '../engine/embedder/limits.ts';
import { paths } from './paths.ts';

/** The utility processes that run the graphs of packs for the engine; they end with the engine that asked for them. */
export class EmbedderProcesses {
  private readonly running = new Map<number, { child: UtilityProcess; orphan: boolean }>();

  /** @param connect takes the engine's end of the port */
  start(
    id: number,
    memoryLimit: number,
    connect: (port: MessagePortMain) => void,
    onEnd: (code: number) => void,
  ): void {
    const child = utilityProcess.fork(paths.embedder, [], {
      serviceName: 'Archetone embedder',
      stdio: 'inherit',
      env: { ...process.env, [MEMORY_VARIABLE]: String(memoryLimit) },
    });
    const entry = { child, orphan: false };
    this.running.set(id, entry);
    child.on('spawn', () => {
      const { port1, port2 } = new MessageChannelMain();
      child.postMessage(null, [port1]);
      connect(port2);
    });
    child.on('exit', (code) => {
      // Another engine may have started one of the same number meanwhile.
      if (this.running.get(id) === entry) this.running.delete(id);
      if (!entry.orphan) onEnd(code);
    });
  }

  end(id: number): void {
    const child = this.running.get(id)?.child;
    if (!child) return;
    // Not an orderly end: what computes without an end answers nothing.
    if (child.pid === undefined) child.kill();
    else killNow(child.pid);
  }

  /** The engine they belonged to is gone: nobody is told of their end. */
  endAll(): void {
    for (const [id, entry] of this.running) {
      entry.orphan = true;
      this.end(id);
    }
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}
