import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundled } from './bundles.ts';
import { tinyPacks } from './music.ts';
import { decodeWorker, labelWorker, datasetWorker } from './workers.ts';

/** The environment of a program whose clock is off. */
export function clockOff(milliseconds: number): Record<string, string> {
  const module = pathToFileURL(join(import.meta.dirname, 'wrong-clock.mjs')).href;
  return { NODE_OPTIONS: `--import ${module}`, ARCHETONE_TEST_CLOCK_MS: String(milliseconds) };
}

export interface CliRun {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Standard output as JSON; throws when it is not exactly one document. */
  json(): unknown;
}

export interface CliOptions {
  env?: Record<string, string>;
  /** Called with what has come on standard error so far; may send signals. */
  onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  /** Called once it was started, with what sends signals to it. */
  onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
  /** What stands in front of the command, to run it elsewhere. */
  within?: readonly string[];
  /** Nobody reads standard output. */
  closedStdout?: boolean;
}

/** Runs the bundled command line in a process of its own, with the tiny pack. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const whole = [...(options.within ?? []), process.execPath, await bundled('cli/main.ts'), ...args];
  const [program = process.execPath, ...rest] = whole;
  const child = spawn(program, rest, {
    env: {
      ...process.env,
      ARCHETONE_PACKS: await tinyPacks(),
      ARCHETONE_DECODE_WORKER: await decodeWorker(),
      ARCHETONE_DATASET_WORKER: await datasetWorker(),
      ARCHETONE_LABEL_WORKER: await labelWorker(),
      // Not that of the last build, which may be of other code.
      ARCHETONE_EMBEDDER: await bundled('engine/embedder/entry.ts'),
      // Its threads are the command line's own.
      ARCHETONE_READERS: 'none',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  options.onStart?.((signal) => void child.kill(signal));
  if (options.closedStdout) child.stdout.destroy();
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    options.onStderr?.(stderr, (signal) => void child.kill(signal));
  });
  return new Promise((done, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      done({ code, signal, stdout, stderr, json: () => JSON.parse(stdout) as unknown }),
    );
  });
}
