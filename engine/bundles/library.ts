import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod';
import type { LibraryBundle } from '../api/libraries.ts';
import { EngineError } from '../api/errors.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { copyChecked, isSoundFile } from '../storage/backups.ts';
import { storageError } from '../storage/errors.ts';
import type { Library } from '../library/library.ts';
import { writeBundle } from './bundle.ts';

/** Its ending is the one that the system opens with this application. */
const MANIFEST = 'library.archetone';
/** What it was called before it could be opened by a double click. */
const EARLIER_MANIFEST = 'archetone-library.json';
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

/** What these runners need of their job. */
type Job = Pick<JobHandle, 'id' | 'signal' | 'report'>;

/**
 * Writes a library as a folder that another computer can take in: its databases, each checked, and what they are. No
 * audio is in it; tracks are found below whatever folder it is taken in for.
 * @param folder is made, and appears whole or not at all; what a killed process left of it goes with `sweepPartial`
 * @throws EngineError `bad-input` when there is something; `database`, `disk-full`; the signal's reason
 */
export async function writeLibrary(library: Library, folder: string, job: Job): Promise<LibraryBundle> {
  const files: LibraryBundle['files'] = [];
  const { name } = library.summary();
  const schemas = { 'library.db': 'main', 'cache.db': 'cache' } as const;
  try {
    // Copied, then read for their hashes.
    const watch = bytesOf(job, 2 * FILES.reduce((sum, file) => sum + library.db.bytes(schemas[file]), 0));
    const written = await writeBundle(folder, job.id, async (bundle) => {
      for (const file of FILES) {
        await bundle.make(file, async (path) => {
          job.report({ current: file });
          await library.db.copyTo(path, schemas[file], watch);
          if (!(await isSoundFile(path))) throw damagedFile(path);
          const sha256 = await hashOf(path, watch);
          const { size: bytes } = statSync(path);
          files.push({ name: file, bytes, sha256 });
          return { bytes, sha256 };
        });
      }
      const manifest = { format: FORMAT, version: 1, name, createdAt: new Date().toISOString(), files };
      await bundle.add(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
    });
    return { folder: written.folder, name, files };
  } catch (thrown) {
    job.signal.throwIfAborted();
    throw storageError(thrown, folder);
  }
}

/**
 * Copies the databases of such a folder into the folder of a new library.
 * @throws EngineError `not-found` when it is no such folder; `database` when a file is not as it was written; the signal's
 * reason
 */
export async function readLibrary(bundle: string, libraryFolder: string, job: Job): Promise<void> {
  const { files } = manifestOf(bundle);
  const watch = bytesOf(job, 2 * files.reduce((sum, { bytes }) => sum + bytes, 0));
  for (const { name, sha256 } of files) {
    job.report({ current: name });
    const path = join(bundle, name);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw damagedFile(path);
    if ((await hashOf(path, watch)) !== sha256) throw damagedFile(path);
    await copyChecked(path, join(libraryFolder, name), watch);
    job.signal.throwIfAborted();
  }
}

/** @throws EngineError `not-found` when it is no folder that a library was written to */
export function manifestOf(bundle: string): z.infer<typeof manifestSchema> {
  const own = join(bundle, MANIFEST);
  const path = existsSync(own) ? own : join(bundle, EARLIER_MANIFEST);
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info?.isFile() || info.size > LARGEST_MANIFEST) throw noBundle(bundle);
  try {
    const manifest = manifestSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    if (manifest.files.some(({ name }) => name === 'library.db')) return manifest;
  } catch {
    // Told below.
  }
  throw noBundle(bundle);
}

/** Reports bytes as a job's progress, in megabytes. */
function bytesOf(job: Job, total: number): { signal: AbortSignal; onBytes: (bytes: number) => void } {
  let done = 0;
  const mb = (bytes: number): number => Math.ceil(bytes / 1e6);
  job.report({ done, total: mb(total), unit: 'MB' });
  const onBytes = (bytes: number): void => {
    done += bytes;
    job.report({ done: mb(Math.min(done, total)) });
  };
  return { signal: job.signal, onBytes };
}

async function hashOf(
  path: string,
  { signal, onBytes }: { signal: AbortSignal; onBytes: (bytes: number) => void },
): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(
    createReadStream(path, { highWaterMark: 1 << 20 }),
    async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) {
        hash.update(piece);
        onBytes(piece.length);
      }
    },
    { signal },
  );
  return hash.digest('hex');
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
