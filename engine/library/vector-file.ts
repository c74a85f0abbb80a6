import { createHash } from 'node:crypto';
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as z from 'zod';
import { RowsOnDisk } from '../../models/neighbours/rows.ts';

/** The head of the file, a page of the disk: JSON, filled up with spaces. */
const HEAD_BYTES = 4096;
/** Bytes that are hashed at a stretch. */
const PART_BYTES = 4 << 20;
const FORMAT = 'archetone-vectors-1';
const DRAFT = '.tmp';

/** What the vectors in a file are of: a file that says anything else is stale. */
export interface VectorFacts {
  /** Of the tracks, what they hold, and the space. */
  fingerprint: string;
  count: number;
  dim: number;
}

const headSchema = z.strictObject({
  format: z.literal(FORMAT),
  fingerprint: z.string(),
  count: z.int().min(1),
  dim: z.int().min(1),
  /** Of the vectors. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

let drafts = 0;

/**
 * Writes vectors into a file: under a temporary name first, so that what has the file's name is always complete.
 * @param parts float32 `[n, dim]` each, `count` rows altogether
 * @param stillRight asked last: whether the vectors are those of the library yet
 * @returns whether they were, and the file is there
 * @throws the system's error, RangeError for another number of rows, the signal's reason; nothing is left behind then
 */
export async function writeVectorFile(
  path: string,
  facts: VectorFacts,
  parts: Iterable<Float32Array>,
  { stillRight, signal }: { stillRight: () => boolean; signal: AbortSignal },
): Promise<boolean> {
  const draft = `${path}.${process.pid}-${++drafts}${DRAFT}`;
  await mkdir(dirname(path), { recursive: true });
  let file: FileHandle | null = null;
  try {
    file = await open(draft, 'wx');
    const hash = createHash('sha256');
    let at = HEAD_BYTES;
    for (const part of parts) {
      signal.throwIfAborted();
      const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
      hash.update(bytes);
      await writeAll(file, bytes, at);
      at += bytes.length;
      await nextTurn();
    }
    if (at - HEAD_BYTES !== 4 * facts.count * facts.dim)
      throw new RangeError(`there are ${(at - HEAD_BYTES) / 4 / facts.dim} vectors, not ${facts.count}`);
    const head: z.output<typeof headSchema> = { format: FORMAT, ...facts, sha256: hash.digest('hex') };
    await writeAll(file, Buffer.from(JSON.stringify(head).padEnd(HEAD_BYTES)), 0);
    await file.sync();
    await file.close();
    file = null;
    signal.throwIfAborted();
    if (!stillRight()) return false;
    // At once: vectors that are stored between asking and naming would have a file that is not of them.
    renameSync(draft, path);
    return true;
  } finally {
    await file?.close();
    await rm(draft, { force: true });
  }
}

/** Takes away what a process that was ended left half written: it may be as large as a library's vectors. */
export function sweepVectorDrafts(folder: string): void {
  try {
    for (const name of readdirSync(folder))
      if (name.endsWith(DRAFT)) rmSync(join(folder, name), { force: true });
  } catch {
    // None are there, or they cannot go.
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}

/**
 * Opens a file of vectors, having read all of it once: what was changed, cut or worn is not searched.
 * @returns null where there is none, it is stale, or damaged
 * @throws the system's error where it cannot be read; the signal's reason
 */
export async function openVectorFile(
  path: string,
  facts: VectorFacts,
  signal: AbortSignal,
): Promise<RowsOnDisk | null> {
  const file = await open(path, 'r').catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null;
    throw thrown;
  });
  if (file === null) return null;
  try {
    const head = await readHead(file);
    const { fingerprint, count, dim } = facts;
    if (head?.fingerprint !== fingerprint || head.count !== count || head.dim !== dim) return null;
    if ((await file.stat()).size !== HEAD_BYTES + 4 * count * dim) return null;
    const hash = createHash('sha256');
    const part = new Uint8Array(PART_BYTES);
    for (let at = HEAD_BYTES; ;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(part, 0, part.length, at);
      if (bytesRead === 0) break;
      hash.update(part.subarray(0, bytesRead));
      at += bytesRead;
    }
    return hash.digest('hex') === head.sha256 ? new RowsOnDisk(path, count, dim, HEAD_BYTES) : null;
  } finally {
    await file.close();
  }
}

async function readHead(file: FileHandle): Promise<z.output<typeof headSchema> | null> {
  const bytes = Buffer.alloc(HEAD_BYTES);
  await file.read(bytes, 0, HEAD_BYTES, 0);
  try {
    return headSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    return null;
  }
}
