import { spawnSync } from 'node:child_process';

/** What a process is started with: `execPath` and `execArgv` of `fork`. */
export interface Launcher {
  execPath: string;
  execArgv: string[];
}

/** Nothing keeps the process in. */
export const unconfined: Launcher = { execPath: process.execPath, execArgv: [] };

/**
 * Makes every file system read-only in the namespace of this shell, then becomes the program. Flags that a file system has
 * must be named again: what the namespace's owner locked may not be taken off. Devices are left: graphics cards are reached
 * through them.
 */
const READ_ONLY = `
while read -r _ place _ flags _; do
  place=$(printf '%b' "$place")
  case "$place" in /proc|/proc/*|/sys|/sys/*|/dev|/dev/*) continue;; esac
  keep=ro
  for flag in $(printf '%s' "$flags" | tr , ' '); do
    case "$flag" in nosuid|nodev|noexec|noatime|nodiratime|relatime) keep="$keep,$flag";; esac
  done
  mount -o "remount,bind,$keep" "$place" || exit 126
done < /proc/self/mounts
exec "$@"`;

const SHELL_ENDS = [
  ...['--user', '--map-root-user', '--net', '--mount', '--'],
  ...['/bin/sh', '-c', READ_ONLY, 'sh'],
];

let found: Launcher | null = null;

/**
 * How to start a process that reaches no network and writes no file (ADR 16): on Linux through `unshare` in namespaces of
 * its own, where the system lets a person have them; elsewhere nothing is offered, and the process is started as it is.
 */
export function confinement(): Launcher {
  found ??= probe();
  return found;
}

function probe(): Launcher {
  if (process.platform !== 'linux') return unconfined;
  const { status } = spawnSync('unshare', [...SHELL_ENDS, '/bin/true'], { stdio: 'ignore', timeout: 5000 });
  return status === 0 ? { execPath: 'unshare', execArgv: [...SHELL_ENDS, process.execPath] } : unconfined;
}
