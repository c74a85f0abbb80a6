import { utilityProcess } from 'electron';
import type { UtilityProcess } from 'electron';
import { paths } from './paths.ts';

/**
 * Measures execution providers in utility processes of their own: a driver that hangs or crashes takes nothing with it.
 * Only main can start such a process, so the engine asks for it.
 */
export class ProviderProcesses {
  private readonly running = new Map<number, UtilityProcess>();

  /** Answers once, with what the process said or with `{ error }` when it ended without a word. */
  check(id: number, request: unknown, answer: (reply: unknown) => void): void {
    const child = utilityProcess.fork(paths.providerChild, [], { serviceName: 'Archetone provider check' });
    this.running.set(id, child);
    let answered = false;
    const settle = (reply: unknown): void => {
      if (answered) return;
      answered = true;
      this.cancel(id);
      answer(reply);
    };
    child.on('spawn', () => child.postMessage(request));
    child.on('message', settle);
    child.on('exit', (code) => settle({ error: `the check ended with status ${String(code)}` }));
  }

  cancel(id: number): void {
    this.running.get(id)?.kill();
    this.running.delete(id);
  }
}
