#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const cli = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'node', 'cli.js');
if (!existsSync(cli)) {
  console.error('Archetone is not built yet. Run "npm run setup" once (npm start and npm test do it, too).');
  process.exit(1);
}
await import(pathToFileURL(cli).href);
