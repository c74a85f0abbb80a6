import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';

export type Program = ChildProcessByStdio<null, Readable, Readable>;
/** Ends a program, which may have ended by itself. */
export type EndProgram = (program: Program) => void;

/** Time for a program to notice that nobody reads what it writes. */
const GRACE_MS = 2000;

export const kill: EndProgram = (program) => void program.kill('SIGKILL');

/**
 * For a process that may signal no other one, but leads the group that its programs are in (`confineProcess`): whoever
 * writes to a pipe that nobody reads is ended by the system. One that does not even write takes its group with it.
 */
export const letGo: EndProgram = (program) => {
  program.stdout.destroy();
  program.stderr.destroy();
  if (program.exitCode !== null || program.signalCode !== null || program.pid === undefined) return;
  const end = setTimeout(endGroup, GRACE_MS);
  program.once('exit', () => clearTimeout(end));
};

/** Ends this process and every program that it started. */
export function endGroup(): void {
  process.kill(0, 'SIGKILL');
}
