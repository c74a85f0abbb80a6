import { createHash } from 'node:crypto';
import { lstat, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { PackError } from './errors.ts';
import { referencesExternalData } from '../onnx/external-data.ts';
import type { GraphName, Pack, PackManifest } from './manifest.ts';

/** A graph file as a manifest names it. */
export type GraphEntry = NonNullable<PackManifest['graphs'][GraphName]>;

const CHUNK = 4 * 1024 * 1024;

/** @throws PackError, as {@link readGraphFile}; `graph` where the pack has none of that name; the signal's reason */
export async function readGraph(pack: Pack, name: GraphName, signal?: AbortSignal): Promise<Uint8Array> {
  return readGraphFile(pack.folder, graphEntry(pack, name), signal);
}

/** @throws PackError `graph` where the pack has none of that name */
export function graphEntry({ manifest }: Pick<Pack, 'manifest'>, name: GraphName): GraphEntry {
  const entry = manifest.graphs[name];
  if (!entry) throw new PackError('graph', `the pack ${manifest.id} has no ${name} graph`);
  return entry;
}

/**
 * Reads one graph file and checks it: a regular file (no link), the promised size and SHA-256, and no tensor
 * stored outside the file. The very bytes that were checked are what the session is made from, so that a file
 * exchanged after verification is never run.
 *
 * @throws PackError `missing` | `unsafe-path` | `size` | `hash` | `external-data` | `graph`; the signal's reason
 */
export async function readGraphFile(
  folder: string,
  entry: GraphEntry,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { file } = entry;
  const path = join(folder, file);
  const info = await lstat(path).catch((cause: unknown) => {
    throw new PackError('missing', `${file} is missing`, { file, cause });
  });
  if (!info.isFile()) throw new PackError('unsafe-path', `${file} is not a regular file`, { file });
  if (info.size !== entry.bytes)
    throw new PackError('size', `${file} has ${info.size} bytes instead of ${entry.bytes}`, { file });

  const { bytes, sha256 } = await readHashed(path, file, entry.bytes, signal);
  if (sha256 !== entry.sha256)
    throw new PackError('hash', `${file} does not have the SHA-256 that the pack names`, { file });
  if (hasExternalData(bytes, file))
    throw new PackError('external-data', `${file} keeps weights in another file`, { file });
  return bytes;
}

async function readHashed(path: string, file: string, size: number, signal: AbortSignal | undefined) {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const bytes = new Uint8Array(size);
    const hash = createHash('sha256');
    for (let at = 0; at < size;) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(bytes, at, Math.min(CHUNK, size - at), at);
      if (bytesRead === 0) throw new PackError('size', `${file} ends early`, { file });
      hash.update(bytes.subarray(at, at + bytesRead));
      at += bytesRead;
    }
    return { bytes, sha256: hash.digest('hex') };
  } catch (cause) {
    if (cause instanceof PackError || signal?.aborted) throw cause;
    throw new PackError('missing', `${file} cannot be read`, { file, cause });
  } finally {
    await handle?.close();
  }
}

function hasExternalData(bytes: Uint8Array, file: string): boolean {
  try {
    return referencesExternalData(bytes);
  } catch (cause) {
    throw new PackError('graph', `${file} is not an ONNX model`, { file, cause });
  }
}
