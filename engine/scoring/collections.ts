import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { cutWindows } from '../../models/audio/windows.ts';
import type { PackRuntime } from '../../models/packs/index.ts';
import type { CutSound } from '../../models/benchmarks/embed.ts';
import { EngineError } from '../api/errors.ts';
import type { AudioDecoder } from '../decode/index.ts';
import { scanFolder } from '../files/scan.ts';

/** Windows of one file that are scored: soundtracks would outweigh everything else. */
export const MOST_WINDOWS = 8;

/** How a folder of labelled sounds is laid out. */
export type Layout =
  /** `class/…/file`: every file is a group of its own. */
  | 'classes'
  /** `class/album/…/file`: an album is never on both sides of a split. */
  | 'albums';

/** How sounds are read. */
interface ReadOptions {
  decode: AudioDecoder;
  /** Windows kept per file, evenly spread. */
  mostWindows: number;
  signal: AbortSignal;
}

/** A sound that was read, or a file that could not be: its path and why. */
export type ReadSound = { sound: CutSound } | { failed: string };

/**
 * Reads a folder of labelled sounds, cut into the pack's windows, one after the other: a collection may be larger than memory.
 * @throws EngineError `missing-folder`
 */
export async function* labelledSounds(
  folder: string,
  layout: Layout,
  pack: PackRuntime['pack'],
  { decode, mostWindows, signal }: ReadOptions,
): AsyncGenerator<ReadSound> {
  const { sampleRate, windowSamples } = pack.manifest;
  const { files } = await scanFolder(folder, { signal });
  for (const { path } of files) {
    const parts = path.split('/');
    const [label, album] = parts;
    if (label === undefined || parts.length < (layout === 'albums' ? 3 : 2)) continue;
    try {
      const windows: Float32Array[] = [];
      const mono = decode.decode(join(folder, ...parts), { sampleRate, signal });
      for await (const { samples } of cutWindows(mono, { windowSamples })) windows.push(samples);
      const group = layout === 'albums' ? `${label}/${album ?? ''}` : path;
      yield { sound: { name: path, class: label, group, windows: evenly(windows, mostWindows) } };
    } catch (thrown) {
      signal.throwIfAborted();
      yield { failed: `${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}` };
    }
  }
}

/**
 * All of {@link labelledSounds} at once. Files that cannot be decoded are named in `failed`.
 * @throws EngineError `missing-folder`, or `too-few-labels` when there are no two classes
 */
export async function readLabelledFolder(
  folder: string,
  layout: Layout,
  pack: PackRuntime['pack'],
  options: ReadOptions,
): Promise<{ sounds: CutSound[]; failed: string[] }> {
  const sounds: CutSound[] = [];
  const failed: string[] = [];
  for await (const read of labelledSounds(folder, layout, pack, options))
    if ('sound' in read) sounds.push(read.sound);
    else failed.push(read.failed);
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
export class SoundsHash {
  readonly #hash = createHash('sha256');

  add({ name, windows }: CutSound): void {
    this.#hash.update(`${name}\n`);
    for (const { buffer, byteOffset, byteLength } of windows)
      this.#hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

/** The {@link SoundsHash} of sounds that are all in memory. */
export function hashOfSounds(sounds: readonly CutSound[]): string {
  const hash = new SoundsHash();
  for (const sound of sounds) hash.add(sound);
  return hash.digest();
}
