import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { measureProvider, type Measurement, type MeasureRequest } from './provider-measure.ts';

/**
 * Measures one provider somewhere. Rejects with the reason when the provider does not work; when `signal` aborts, it
 * must end the measurement or let go of it.
 */
export type ProviderRunner = (request: MeasureRequest, signal: AbortSignal) => Promise<Measurement>;

/** What the process made from `provider-child.ts` answers. */
export type MeasureReply = { measurement: Measurement } | { error: string };

/** File name of the bundled `provider-child.ts`, looked for beside the running code. */
export const PROVIDER_CHILD_FILE = 'provider-child.js';

/** Measures in this process: no protection against a driver that hangs or crashes. */
export const inlineRunner: ProviderRunner = (request) => measureProvider(request);

/**
 * Measures in a process of its own, which is killed when the signal aborts and may crash without harm.
 * @param entry the bundled `provider-child.ts`
 * @param environment added to the variables of this process
 */
export function childRunner(entry: string, environment: NodeJS.ProcessEnv = {}): ProviderRunner {
  return (request, signal) =>
    new Promise((resolve, reject) => {
      const child = fork(entry, [], {
        env: { ...process.env, ...environment },
        execArgv: [],
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
      const stderr: string[] = [];
      const abort = () => child.kill('SIGKILL');
      const settle = (act: () => void) => {
        signal.removeEventListener('abort', abort);
        child.kill('SIGKILL');
        act();
      };
      signal.addEventListener('abort', abort, { once: true });
      child.stderr?.on('data', (data: Buffer) => {
        stderr.push(data.toString());
        if (stderr.length > 50) stderr.shift();
      });
      child.once('error', (error) => settle(() => reject(error)));
      child.once('message', (reply: MeasureReply) =>
        settle(() => ('error' in reply ? reject(new Error(reply.error)) : resolve(reply.measurement))),
      );
      child.once('exit', (code, killedBy) => {
        const last = stderr.join('').trim().split('\n').at(-1) ?? '';
        settle(() => reject(new Error(`the check ended with ${killedBy ?? `status ${code ?? '?'}`} ${last}`)));
      });
      if (signal.aborted) abort();
      else child.send(request);
    });
}

/**
 * The runner used when none is given: a child process where the bundled entry is beside this code and this is plain
 * Node. Inside Electron a child process of the same executable would start the application again, so the engine hands
 * in a runner of its own there; without one, null.
 */
export function defaultRunner(): ProviderRunner | null {
  const entry = join(import.meta.dirname, PROVIDER_CHILD_FILE);
  return !('electron' in process.versions) && existsSync(entry) ? childRunner(entry) : null;
}
