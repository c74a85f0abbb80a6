/** Everything a fresh checkout needs, each step only when it is due: dependencies, Electron, system libraries, build. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, npm, root, run, runToEnd, say } from './lib.mjs';

/** What the command line runs on, and what the tools of a developer (Vite, ESLint, oxlint) do. */
const runs = [20, 18];
const develops = [20, 19];

export function checkNode(minimum, purpose) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isNew = major > minimum[0] || (major === minimum[0] && minor >= minimum[1]);
  if (!isNew) fail(`${purpose} needs Node ${minimum.join('.')} or newer; this is ${process.versions.node}.`);
}

/** Installs the locked dependencies when they are not there or the lock file changed. */
function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.archetone-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  say('Installing dependencies …');
  run(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    shell: process.platform === 'win32',
  });
  writeFileSync(stamp, lock);
}

/** Without `wantElectron` only what the command line needs is set up: no runtime, no window. */
export async function setup({ wantVirtualDisplay = false, wantElectron = true } = {}) {
  if (wantElectron) checkNode(develops, 'Building and testing Archetone');
  else checkNode(runs, 'Archetone');
  installDependencies();
  mkdirSync(join(root, 'dist'), { recursive: true });
  const build = [join(root, 'scripts', 'build.mjs'), ...(wantElectron ? [] : ['node'])];
  // In a process of its own: what follows waits for the network and for programs that unpack.
  const building = runToEnd(process.execPath, build);
  let dist = null;
  if (wantElectron) {
    const { ensureElectron } = await import('./ensure-electron.mjs');
    dist = await ensureElectron();
    const { ensureSystemLibraries } = await import('./system-libraries.mjs');
    ensureSystemLibraries(dist, wantVirtualDisplay);
  }
  if ((await building) !== 0) process.exit(1);
  return dist;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setup();
