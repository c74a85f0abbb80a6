import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ProviderRunner } from '../../models/packs/index.ts';
import { connect } from '../wire/connect.ts';
import { childPort } from '../wire/transports/child-process.ts';
import { providerContract } from './provider-contract.ts';

/** File name of the bundled `provider-child.ts`, looked for beside the running code. */
const CHILD_FILE = 'provider-child.js';
/** Pieces of what the process prints that are kept for its last line. */
const KEPT_PIECES = 50;

/**
 * Measures in a process of its own, which is killed when the signal aborts and may crash without harm.
 * @param entry the bundled `provider-child.ts`
 * @param environment added to the variables of this process
 */
export function childRunner(entry: string, environment: NodeJS.ProcessEnv = {}): ProviderRunner {
  return async (request, signal) => {
    const child = fork(entry, [], {
      env: { ...process.env, ...environment },
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const printed: string[] = [];
    child.stderr?.on('data', (data: Buffer) => {
      printed.push(data.toString());
      if (printed.length > KEPT_PIECES) printed.shift();
    });
    const connection = connect(childPort(child), providerContract, {
      lost: (reason) => {
        const last = printed.join('').trim().split('\n').at(-1) ?? '';
        return new Error(`the check ${reason?.message ?? 'ended'} ${last}`.trim());
      },
    });
    try {
      return await connection.call('measure', request, { signal });
    } finally {
      connection.close();
    }
  };
}

/**
 * The runner used when none is given: a child process where the bundled entry is beside this code and this is plain
 * Node. Inside Electron a child process of the same executable would start the application again, so the shell hands in
 * a runner of its own there; without one, undefined.
 */
export function defaultRunner(): ProviderRunner | undefined {
  const entry = join(import.meta.dirname, CHILD_FILE);
  return !('electron' in process.versions) && existsSync(entry) ? childRunner(entry) : undefined;
}
