// Stands in for the launcher that an official Electron build carries: electron [-r file]… [--version] <app> [arguments…]
import { app } from 'electron';
import { existsSync, readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const given = process.argv.slice(1);
const preloads = [];
const switches = [];
let target = null;
let rest = [];

for (let i = 0; i < given.length && target === null; i++) {
  const argument = given[i];
  if (argument === '--version' || argument === '-v') {
    console.log(`v${process.versions.electron}`);
    process.exit(0);
  } else if (argument === '-r' || argument === '--require') {
    preloads.push(given[++i]);
  } else if (argument.startsWith('-')) {
    switches.push(argument);
  } else {
    target = argument;
    rest = given.slice(i + 1);
  }
}
if (target === null) {
  console.error('usage: electron [options] <application folder>');
  process.exit(1);
}

Object.defineProperty(process, 'defaultApp', { value: true, enumerable: true });
// Preloads see the arguments as given: a test runner's loader edits them itself.
for (const preload of preloads) require(resolve(preload));
if (preloads.length === 0) process.argv = [process.argv[0], ...switches, target, ...rest];

const path = resolve(target);
const manifestFile = join(path, 'package.json');
if (existsSync(manifestFile)) {
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  if (manifest.version) app.setVersion(manifest.version);
  app.setName(manifest.productName ?? manifest.name ?? app.getName());
}
const main = Module._resolveFilename(path, null, true);
app.setAppPath(existsSync(manifestFile) ? path : dirname(main));
try {
  await import(pathToFileURL(main).href);
} catch (error) {
  console.error('The application failed while loading:\n', error);
  process.exit(1);
}
