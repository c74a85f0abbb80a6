/** npm run package | make: sets everything up, then lets Electron Forge package the application for this system. */
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { root, runToEnd, say } from './lib.mjs';
import { writeIcons } from './icons.mjs';
import { writeSbom } from './sbom.mjs';
import { setup } from './setup.mjs';

const dist = await setup();
const require = createRequire(join(root, 'package.json'));
const { version } = require('electron/package.json');

/** Every file below a folder, by its path relative to it, as a zip wants them. */
function filesBelow(folder, base = folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path, base) : [relative(base, path)];
  });
}

/** Forge wants a zip where the official one cannot be downloaded; the application is then built on the tests' runtime. */
async function zipOfRuntime() {
  const folder = join(root, 'out', 'runtime');
  const file = join(folder, `electron-v${version}-${process.platform}-${process.arch}.zip`);
  if (!existsSync(file)) {
    say(`Packing the runtime of the tests (Electron ${readFileSync(join(dist, 'version'), 'utf8')}) …`);
    const { zipSync } = await import('fflate');
    const members = filesBelow(dist).map((name) => {
      const path = join(dist, name);
      const mode = (statSync(path).mode & 0o777) | 0o100000;
      return [name, [new Uint8Array(readFileSync(path)), { level: 0, os: 3, attrs: mode << 16 }]];
    });
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, zipSync(Object.fromEntries(members)));
  }
  return folder;
}

const isOfficial = dist.startsWith(join(root, 'node_modules'));
const zip = isOfficial ? {} : { ELECTRON_ZIP_DIR: await zipOfRuntime() };
writeIcons();
await writeSbom(readFileSync(join(dist, 'version'), 'utf8').trim().replace(/^v/, ''));
const command = process.argv.includes('make') ? 'make' : 'package';
const forge = join(root, 'node_modules', '@electron-forge', 'cli', 'dist', 'electron-forge.js');
const code = await runToEnd(process.execPath, [forge, command], { env: { ...process.env, ...zip } });
if (code === 0 && command === 'make' && process.platform === 'linux') {
  const { writeDeb } = await import('./deb.mjs');
  say(`Written: ${writeDeb()}`);
}
process.exit(code);
