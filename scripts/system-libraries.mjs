/** Finds the system libraries that Electron needs and a machine may lack (Linux only), and says how to get them. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail, hasDisplay, onPath, say } from './lib.mjs';

/** Debian and Ubuntu package of each library; the first whose name exists there is taken. */
const packages = {
  'libgtk-3.so.0': ['libgtk-3-0t64', 'libgtk-3-0'],
  'libnss3.so': ['libnss3'],
  'libnspr4.so': ['libnspr4'],
  'libasound.so.2': ['libasound2t64', 'libasound2'],
  'libgbm.so.1': ['libgbm1'],
  'libXss.so.1': ['libxss1'],
  'libatk-1.0.so.0': ['libatk1.0-0t64', 'libatk1.0-0'],
  'libatk-bridge-2.0.so.0': ['libatk-bridge2.0-0t64', 'libatk-bridge2.0-0'],
  'libcups.so.2': ['libcups2t64', 'libcups2'],
  'libdrm.so.2': ['libdrm2'],
  'libxkbcommon.so.0': ['libxkbcommon0'],
};

function missingLibraries(executable) {
  const { stdout } = spawnSync('ldd', [executable], { encoding: 'utf8' });
  return [...(stdout ?? '').matchAll(/^\s*(\S+) => not found$/gm)].map((match) => match[1]);
}

const isKnown = (name) => spawnSync('apt-cache', ['show', name], { stdio: 'ignore' }).status === 0;

function installOnDebian(names) {
  say(`Installing ${names.join(' ')} …`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { stdio: ['ignore', 'ignore', 'inherit'], env: environment, timeout: 300_000 };
  spawnSync('apt-get', ['update', '-q'], options);
  const chosen = names.map((name) => (packages[name] ?? [name]).find(isKnown) ?? name);
  return (
    spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...chosen], options).status === 0
  );
}

/**
 * @param dist folder of the Electron runtime
 * @param wantVirtualDisplay whether a machine without a display needs one (tests)
 */
export function ensureSystemLibraries(dist, wantVirtualDisplay) {
  if (process.platform !== 'linux') return;
  const executable = join(dist, 'electron');
  const needed = [...missingLibraries(executable)];
  if (wantVirtualDisplay && !hasDisplay() && !onPath('xvfb-run')) needed.push('xvfb', 'xauth');
  if (needed.length === 0) return;
  const isDebian = existsSync('/etc/debian_version');
  const isRoot = process.getuid?.() === 0;
  if (isDebian && isRoot && installOnDebian(needed) && missingLibraries(executable).length === 0) return;
  const names = needed.map((name) => (packages[name] ?? [name]).at(-1));
  fail(
    `These system libraries are missing: ${needed.join(', ')}\n` +
      (isDebian
        ? `Install them with:\n  sudo apt-get install ${names.join(' ')}`
        : 'Install them with the package manager of your system, then run the command again.'),
  );
}
