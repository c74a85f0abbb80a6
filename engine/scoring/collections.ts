import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { cutWindows } from '../../models/audio/windows.ts';
import type { PackRuntime } from '../../models/packs/index.ts';
import type { CutSound } from '../../models/benchmarks/embed.ts';
import { EngineError } from '../api/errors.ts';
import type { AudioDecoder } from '../decode/index.ts';
import { scanFolder } from '../files/scan.ts';

/** How a folder of labelled sounds is laid out. */
export type Layout =
  /** `class/…/file`: every file is a group of its own. */
  | 'classes'
  /** `class/album/…/file`: an album is never on both sides of a split. */
  | 'albums';

/**
 * Reads a folder of labelled sounds, cut into the pack's windows. Files that cannot be decoded are named in `failed`.
 * @param mostWindows windows kept per file, evenly spread
 * @throws EngineError `missing-folder`, or `too-few-labels` when there are no two classes
 */
export async function readLabelledFolder(
  folder: string,
  layout: Layout,
  pack: PackRuntime['pack'],
  options: {
    decode: AudioDecoder;
    mostWindows: number;
    signal: AbortSignal;
    onFile?: (path: string) => void;
  },
): Promise<{ sounds: CutSound[]; failed: string[] }> {
  const { sampleRate, windowSamples } = pack.manifest;
  const { decode, mostWindows, signal } = options;
  const { files } = await scanFolder(folder, { signal });
  const sounds: CutSound[] = [];
  const failed: string[] = [];
  for (const { path } of files) {
    const parts = path.split('/');
    const [label, album] = parts;
    if (label === undefined || parts.length < (layout === 'albums' ? 3 : 2)) continue;
    options.onFile?.(path);
    try {
      const windows: Float32Array[] = [];
      const mono = decode.decode(join(folder, ...parts), { sampleRate, signal });
      for await (const { samples } of cutWindows(mono, { windowSamples })) windows.push(samples);
      const group = layout === 'albums' ? `${label}/${album ?? ''}` : path;
      sounds.push({ name: path, class: label, group, windows: evenly(windows, mostWindows) });
    } catch (thrown) {
      signal.throwIfAborted();
      failed.push(`${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }
  if (new Set(sounds.map((sound) => sound.class)).size < 2)
    throw new EngineError(
      'too-few-labels',
      `${folder} holds ${sounds.length} readable sounds of fewer than two classes.`,
      layout === 'albums'
        ? 'It should hold a folder per class, with a folder per album in each.'
        : 'It should hold a folder per class, with sounds in each.',
    );
  return { sounds, failed };
}

/** At most `most` entries, evenly spread over all of them. */
export function evenly<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / most)]).flatMap(
    (entry) => entry ?? [],
  );
}

/** SHA-256 over names and samples: says which sounds a score was made on. */
export function hashOfSounds(sounds: readonly CutSound[]): string {
  const hash = createHash('sha256');
  for (const { name, windows } of sounds) {
    hash.update(`${name}\n`);
    for (const { buffer, byteOffset, byteLength } of windows)
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}
