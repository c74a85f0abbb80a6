/** Everything a fresh checkout needs, each step only when it is due: dependencies, Electron, system libraries, build. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, npm, root, run, say } from './lib.mjs';

const minimumNode = [20, 18];

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isNew = major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1]);
  if (!isNew)
    fail(`Archetone needs Node ${minimumNode.join('.')} or newer; this is ${process.versions.node}.`);
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
  checkNode();
  installDependencies();
  let dist = null;
  if (wantElectron) {
    const { ensureElectron } = await import('./ensure-electron.mjs');
    dist = await ensureElectron();
    const { ensureSystemLibraries } = await import('./system-libraries.mjs');
    ensureSystemLibraries(dist, wantVirtualDisplay);
  }
  mkdirSync(join(root, 'dist'), { recursive: true });
  const { build } = await import('./build.mjs');
  await build(wantElectron ? undefined : ['node']);
  return dist;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setup();
