import { app } from 'electron';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the built output: `<app>/dist`. */
const dist = dirname(dirname(fileURLToPath(import.meta.url)));
const appRoot = dirname(dist);

/** Files that native code or workers must read lie outside the archive in a packaged application. */
const unpacked = (path: string): string => path.replace(/app\.asar(?=[\\/])/, 'app.asar.unpacked');

export const paths = {
  renderer: join(dist, 'renderer'),
  preload: join(dist, 'electron', 'preload.cjs'),
  decoderPage: join(dist, 'electron', 'decoder-page'),
  decoderPreload: join(dist, 'electron', 'decoder-preload.cjs'),
  engineProcess: join(dist, 'electron', 'engine-process.js'),
  providerChild: join(dist, 'electron', 'provider-child.js'),
  embedder: join(dist, 'electron', 'embedder.js'),
  readers: join(dist, 'electron', 'readers.js'),
  decodeWorker: unpacked(join(dist, 'node', 'decode-worker.js')),
  datasetWorker: unpacked(join(dist, 'node', 'dataset-worker.js')),
  labelWorker: unpacked(join(dist, 'node', 'label-worker.js')),
  /** The icon of the window, where the system takes it from the window: Linux. */
  icon: (): string =>
    app.isPackaged ? join(process.resourcesPath, '256.png') : join(dist, 'icons', '256.png'),
  /** The embedded packs. */
  packs: (): string =>
    app.isPackaged ? join(process.resourcesPath, 'packs') : join(appRoot, 'models', 'packs'),
  /** The labelled demo: synthesised instruments. */
  labelledDemo: (): string =>
    app.isPackaged ? join(process.resourcesPath, 'sounds') : join(appRoot, 'demo', 'sounds'),
  /** The other demo: CC0 samples. */
  demo: (): string =>
    app.isPackaged
      ? join(process.resourcesPath, 'samples')
      : join(appRoot, 'node_modules', 'supersonic-scsynth-samples', 'samples'),
  /** Packs the user added. */
  userPacks: (): string => join(app.getPath('userData'), 'packs'),
};
