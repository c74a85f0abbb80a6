/** Small things shared by the scripts. Node's own modules only: the scripts run before dependencies are installed. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Linux counts processor time for programs in these, whatever its own clock. */
const TICKS_PER_SECOND = 100;

export const say = (text) => process.stderr.write(`${text}\n`);

/** Ends with a message that says what to do. */
export function fail(text) {
  say(`\n${text}`);
  process.exit(1);
}

/** Runs a command with its output shown; ends the script when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) fail(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Runs a command with its output shown and answers with its exit code. */
export function runToEnd(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    child.on('error', (error) => {
      say(`${command} could not be started: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}

/**
 * Like {@link runToEnd}, but a command that takes longer than `minutes` is ended, with everything it started. An interrupt
 * ends the command first and then this script.
 * @param options those of `spawn`, and `whole`: shows the output in one piece when the command has ended, for what runs beside others
 */
export function runWithin(minutes, command, args, { whole = false, ...options } = {}) {
  return new Promise((resolve) => {
    const group = process.platform !== 'win32';
    const stdio = whole ? ['ignore', 'pipe', 'pipe'] : 'inherit';
    const child = spawn(command, args, { cwd: root, stdio, detached: group, ...options });
    const output = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part) => output.push(part));
    const end = (signal) => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      if (group) process.kill(-child.pid, signal);
      else spawnSync('taskkill', ['/T', '/F', '/PID', String(child.pid)], { stdio: 'ignore' });
    };
    const limit = setTimeout(() => {
      say(`\nEnded after ${minutes} minutes. In a run of tests, one that is not listed above hangs.`);
      end('SIGKILL');
    }, minutes * 60_000);
    // In a process group of its own the command does not hear the terminal.
    let interrupted = false;
    const interrupt = (signal) => {
      interrupted = true;
      end(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, interrupt);
    const settle = (code) => {
      clearTimeout(limit);
      if (interrupted) process.exit(130);
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, interrupt);
      process.stderr.write(Buffer.concat(output));
      resolve(code);
    };
    child.on('error', (error) => {
      say(`${command} could not be started: ${error.message}`);
      settle(1);
    });
    child.on(whole ? 'close' : 'exit', (code, signal) => settle(signal ? 1 : (code ?? 1)));
  });
}

/**
 * Seconds of processor time that all ended child processes used, with those that they waited for in turn; null where the
 * system does not tell (anywhere but on Linux).
 */
export function childSeconds() {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    // The name of the program comes second, in brackets, and may hold anything: count from behind it (man 5 proc).
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(13, 15);
    return (Number(user) + Number(system)) / TICKS_PER_SECOND;
  } catch {
    return null;
  }
}

/** npm under the same Node; on Windows npm is a script that needs a shell. */
export const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

export function hasDisplay() {
  return process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

export function onPath(program) {
  const finder = process.platform === 'win32' ? 'where' : 'which';
  return spawnSync(finder, [program], { stdio: 'ignore' }).status === 0;
}
