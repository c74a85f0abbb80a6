import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What some work took, in milliseconds. */
export interface Spent {
  /** Of all threads of the process. */
  cpu: number;
  wall: number;
}

/** Runs `work` and says what it took. */
export async function spentOn(work: () => Promise<unknown>): Promise<Spent> {
  const [used, started] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(used);
  return { cpu: (user + system) / 1000, wall: performance.now() - started };
}

/** The middle one of the times; of an even number, the lower. */
export function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[(times.length - 1) >> 1] ?? NaN;
}

const extensions = ['avx2', 'avx_vnni', 'avx512f', 'avx512_vnni', 'amx_int8'];

/** The processor, which of the vector extensions that matter it has, and how busy it is. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  let flags = '';
  try {
    const text = readFileSync('/proc/cpuinfo', 'utf8');
    const own = new Set(/^flags\s*:\s*(.*)$/m.exec(text)?.[1]?.split(' '));
    flags = extensions.filter((name) => own.has(name)).join(' ');
  } catch {
    flags = 'extensions unknown';
  }
  return `${model} (${flags}), ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1) ?? '?'}`;
}

/** A script of tests/bench in ARCHETONE_PYTHON that answers a line of JSON to every line of JSON. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  /** @returns null without a Python */
  static start(script: string, args: readonly string[] = []): Peer | null {
    const python = process.env['ARCHETONE_PYTHON'];
    if (python === undefined) return null;
    const child = spawn(python, [join(import.meta.dirname, script), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // Waiting threads sleep on both sides: spinning would count as work, and slow a busy machine down.
      env: { ...process.env, OMP_WAIT_POLICY: 'PASSIVE' },
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return new Peer(child, lines);
  }

  async ask(question: unknown): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('the peer ended');
    return JSON.parse(line.value);
  }

  close(): void {
    this.#child.stdin?.end();
  }
}

/** Keeps `count` processes busy while `work` runs, as other programs would. */
export async function underLoad<T>(count: number, work: () => Promise<T>): Promise<T> {
  const burners = Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  try {
    return await work();
  } finally {
    for (const burner of burners) burner.kill('SIGKILL');
  }
}
