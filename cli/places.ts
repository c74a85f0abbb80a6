import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { embeddedPacksFolder } from '../engine/packs/embedded-folder.ts';

/** Where the parts of this installation are. */
export interface Places {
  /** Folder of package.json. */
  root: string;
  version: string;
  /** Bundled worker that decodes audio. */
  decodeWorker: string;
  /** Bundled worker that reads data sets. */
  datasetWorker: string;
  /** Bundled worker that reads label files. */
  labelWorker: string;
  /** Bundled process that runs the graphs of packs; null where it was not built. */
  embedder: string | null;
  /** Bundled process in which files of others are read; null where it was not built. */
  readers: string | null;
  /** Folders of packs: those that come with Archetone, then those that were added. */
  packFolders: string[];
  /** Where a worker keeps packs that it was sent. */
  workerCache: string;
  /** The CC0 samples that come with Archetone; null when their package is not installed. */
  demoFolder: string | null;
  /** The labelled demo; null where it was left out. */
  labelledDemoFolder: string | null;
}

const packageSchema = z.object({ name: z.string(), version: z.string() });

/**
 * Finds the installation from the place of the running bundle (`dist/node/cli.js`), or from a source file in tests.
 * The environment variables ARCHETONE_DECODE_WORKER, ARCHETONE_DATASET_WORKER, ARCHETONE_LABEL_WORKER,
 * ARCHETONE_EMBEDDER and ARCHETONE_READERS name other bundles, ARCHETONE_DEMO another demo folder, ARCHETONE_USER_PACKS another folder of added
 * packs.
 */
export function findPlaces(here = import.meta.dirname): Places {
  const root = packageRoot(here);
  const { version } = packageSchema.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  return {
    root,
    version,
    decodeWorker: process.env['ARCHETONE_DECODE_WORKER'] ?? join(root, 'dist', 'node', 'decode-worker.js'),
    datasetWorker: process.env['ARCHETONE_DATASET_WORKER'] ?? join(root, 'dist', 'node', 'dataset-worker.js'),
    labelWorker: process.env['ARCHETONE_LABEL_WORKER'] ?? join(root, 'dist', 'node', 'label-worker.js'),
    embedder: helper(root, 'embedder', 'ARCHETONE_EMBEDDER'),
    readers: helper(root, 'readers', 'ARCHETONE_READERS'),
    packFolders: packFolders(root),
    workerCache: join(userData(), 'worker'),
    demoFolder: process.env['ARCHETONE_DEMO'] ?? demoFolder(root),
    labelledDemoFolder: process.env['ARCHETONE_DEMO'] ?? existing(join(root, 'demo', 'sounds')),
  };
}

function existing(path: string): string | null {
  return existsSync(path) ? path : null;
}

function helper(root: string, name: string, variable: string): string | null {
  return existing(process.env[variable] ?? join(root, 'dist', 'node', `${name}.js`));
}

function packageRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) {
      const parsed = packageSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
      if (parsed.success && parsed.data.name === 'archetone') return folder;
    }
    if (dirname(folder) === folder) throw new Error(`no Archetone installation above ${start}`);
  }
}

function packFolders(root: string): string[] {
  const given = process.env['ARCHETONE_PACKS'];
  const added = process.env['ARCHETONE_USER_PACKS'];
  if (given) return added ? [given, added] : [given];
  return [embeddedPacksFolder(root), added ?? join(userData(), 'packs')];
}

/** Where the application keeps the user's data (Electron's `userData`), so that both see the same packs. */
function userData(): string {
  const home = homedir();
  const base =
    process.platform === 'win32'
      ? (process.env['APPDATA'] ?? join(home, 'AppData', 'Roaming'))
      : process.platform === 'darwin'
        ? join(home, 'Library', 'Application Support')
        : (process.env['XDG_CONFIG_HOME'] ?? join(home, '.config'));
  return join(base, 'Archetone');
}

function demoFolder(root: string): string | null {
  try {
    const entry = createRequire(join(root, 'package.json')).resolve(
      'supersonic-scsynth-samples/package.json',
    );
    return existing(join(dirname(entry), 'samples'));
  } catch {
    return null;
  }
}
