import { createHash, randomUUID } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { LibraryBundle } from '../api/libraries.ts';
import { EngineError } from '../api/errors.ts';
import { copyChecked, isSoundFile } from '../storage/backups.ts';
import { storageError } from '../storage/errors.ts';
import type { Library } from './library.ts';

const MANIFEST = 'archetone-library.json';
const FORMAT = 'archetone-library';
/** Only these are taken in, whatever a manifest names. */
const FILES = ['library.db', 'cache.db'] as const;
const LARGEST_MANIFEST = 1_000_000;

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(1),
  name: z.string(),
  createdAt: z.string(),
  files: z
    .array(z.object({ name: z.enum(FILES), bytes: z.int().min(1), sha256: z.string().length(64) }))
    .min(1)
    .max(FILES.length),
});

/**
 * Writes a library as a folder that another computer can take in: its databases, each checked, and what they are. No
 * audio is in it; tracks are found below whatever folder it is taken in for.
 * @param folder is made, and appears whole or not at all
 * @throws EngineError `bad-input` when there is something; `database`, `disk-full`
 */
export async function writeBundle(library: Library, folder: string): Promise<LibraryBundle> {
  refuseTaken(folder);
  const draft = join(dirname(folder), `.${basename(folder)}.part-${randomUUID()}`);
  try {
    mkdirSync(draft, { recursive: true });
    await library.db.copyTo(join(draft, 'library.db'));
    await library.db.copyTo(join(draft, 'cache.db'), 'cache');
    const files: LibraryBundle['files'] = [];
    for (const name of FILES) {
      const path = join(draft, name);
      if (!(await isSoundFile(path))) throw damagedFile(path);
      files.push({ name, bytes: statSync(path).size, sha256: await hashOf(path) });
    }
    const { name } = library.summary();
    const manifest = { format: FORMAT, version: 1, name, createdAt: new Date().toISOString(), files };
    writeFileSync(join(draft, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    // Looked at again: writing takes minutes, and what was put there meanwhile is not ours to delete.
    refuseTaken(folder);
    if (existsSync(folder)) rmdirSync(folder);
    renameSync(draft, folder);
    return { folder, name, files };
  } catch (thrown) {
    throw storageError(thrown, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * Copies the databases of such a folder into the folder of a new library.
 * @throws EngineError `not-found` when it is no such folder; `database` when a file is not as it was written
 */
export async function readBundle(bundle: string, libraryFolder: string): Promise<void> {
  const { files } = manifestOf(bundle);
  if (!files.some(({ name }) => name === 'library.db')) throw noBundle(bundle);
  for (const { name, sha256 } of files) {
    const path = join(bundle, name);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw damagedFile(path);
    if ((await hashOf(path)) !== sha256) throw damagedFile(path);
    await copyChecked(path, join(libraryFolder, name));
  }
}

function manifestOf(bundle: string): z.infer<typeof manifestSchema> {
  const path = join(bundle, MANIFEST);
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info?.isFile() || info.size > LARGEST_MANIFEST) throw noBundle(bundle);
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    throw noBundle(bundle);
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function refuseTaken(folder: string): void {
  const info = statSync(folder, { throwIfNoEntry: false });
  if (!info) return;
  if (info.isDirectory() && readdirOf(folder).length === 0) return;
  throw new EngineError(
    'bad-input',
    info.isDirectory() ? `${folder} is not empty.` : `${folder} is a file, not a folder.`,
    'Name a folder that is not there yet.',
  );
}

function readdirOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (thrown) {
    throw storageError(thrown, folder);
  }
}

function noBundle(bundle: string): EngineError {
  return new EngineError(
    'not-found',
    `${bundle} is no library made for another computer.`,
    `Choose the folder that holds ${MANIFEST}.`,
  );
}

function damagedFile(path: string): EngineError {
  return new EngineError(
    'database',
    `${path} is damaged or was changed.`,
    'Write it again where it came from.',
  );
}
