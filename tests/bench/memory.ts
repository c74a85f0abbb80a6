import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

const INTERVAL_MS = 500;
const MIB = 2 ** 20;

/** Memory of some work, MiB: what was resident. */
export interface Held {
  /** The most of this process, and of all processes that it started together. */
  peak: number;
  helpers: number;
  /** Of this process when the work was done. */
  after: number;
}

/**
 * The most memory that this process and those it started hold during some work. Helpers are looked at twice a second, from a thread
 * of its own as the work may keep this one busy; this process is measured by the kernel, without gaps. Linux only.
 */
export class MemoryWatch {
  readonly #most = new Float64Array(new SharedArrayBuffer(8));
  readonly #watch: Worker;

  /** @returns null where the system does not tell */
  static start(): MemoryWatch | null {
    try {
      resetPeak();
      return new MemoryWatch();
    } catch {
      return null;
    }
  }

  private constructor() {
    const code = `
      const { workerData: { most, interval, pid } } = require('node:worker_threads');
      const { readdirSync, readFileSync } = require('node:fs');
      const childrenOf = ${childrenOf.toString()};
      const resident = ${resident.toString()};
      setInterval(() => {
        const sum = childrenOf(pid, readdirSync, readFileSync).reduce((all, child) => all + resident(child, readFileSync), 0);
        if (sum > most[0]) most[0] = sum;
      }, interval);`;
    this.#watch = new Worker(code, {
      eval: true,
      workerData: { most: this.#most, interval: INTERVAL_MS, pid: process.pid },
    });
    this.#watch.unref();
  }

  async during(work: () => Promise<unknown>): Promise<Held> {
    resetPeak();
    this.#most[0] = 0;
    await work();
    return {
      peak: statusOf('VmHWM') / MIB,
      helpers: this.#most[0] / MIB,
      after: process.memoryUsage.rss() / MIB,
    };
  }

  async close(): Promise<void> {
    await this.#watch.terminate();
  }
}

/** From here on the kernel remembers a new peak (proc_pid_clear_refs(5)). */
function resetPeak(): void {
  writeFileSync('/proc/self/clear_refs', '5');
}

/** A line of /proc/self/status, bytes. */
function statusOf(name: string): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line?.[1]) * 1024;
}

/** Processes that a process started, and theirs. Stands alone, as the watching thread has its text only. */
function childrenOf(pid: number, list: typeof readdirSync, read: typeof readFileSync): number[] {
  const found: number[] = [];
  const waiting = [pid];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    try {
      for (const thread of list(`/proc/${next}/task`)) {
        const children = read(`/proc/${next}/task/${thread}/children`, 'utf8')
          .split(' ')
          .filter(Boolean)
          .map(Number);
        found.push(...children);
        waiting.push(...children);
      }
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

/** Bytes of a process that lie in memory, 0 where it has ended. Stands alone as {@link childrenOf}. */
function resident(pid: number, read: typeof readFileSync): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
