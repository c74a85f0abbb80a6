import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, sep } from 'node:path';
import { PEAKS_PER_SECOND, quantisePeaks } from '../../engine/import/track-store.ts';
import { cutWindows, decodeMono, PeakAccumulator } from '../../models/audio/index.ts';
import { Random } from '../../models/numerics/random.ts';
import { compactPackFolder, openRuntime, readPack, type PackRuntime } from '../../models/packs/index.ts';
import { embedWindows } from '../../models/pecmae/embed.ts';
import { readNpz, writeNpz } from '../../models/tensors/index.ts';
import { versions, writeVersions, type Version } from '../support/versions.ts';

/** Windows of one file that are embedded. */
const MOST_WINDOWS = 4;

/** One sound file as a library knows it. */
export interface MeasuredSound {
  path: string;
  /** Absolute. */
  file: string;
  /** SHA-256 of the file. */
  contentHash: string;
  durationSeconds: number;
  peaks: Int8Array;
  /** Mean over the windows. */
  vector: Float32Array;
}

export interface Collection {
  dim: number;
  sounds: MeasuredSound[];
  /** By version, for each sound that was chosen its number and the version of it. */
  copies: Map<string, { of: number; sound: MeasuredSound }[]>;
}

/**
 * Embeds the sounds of a folder and versions of some of them, drawn by seed 1. What was found is kept in the folder for
 * temporary files.
 * @param count sounds that versions are made of
 */
export async function collectionWithVersions(folder: string, count: number): Promise<Collection> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => /\.(mp3|wav|flac|ogg)$/i.test(path))
    .sort();
  const chosen = new Random(1).shuffle([...paths.keys()]).slice(0, count);
  const pack = await readPack(compactPackFolder());
  const key = JSON.stringify([folder, paths, chosen, versions, pack.sha256, MOST_WINDOWS]);
  const name = createHash('sha256').update(key).digest('hex').slice(0, 16);
  const kept = join(tmpdir(), 'archetone-bench', `near-duplicates-${name}.npz`);
  const folderOfVersions = kept.replace(/npz$/, 'versions');
  const versionFile = (version: Version, of: number): string =>
    join(folderOfVersions, `${version.name.replace(/\W+/g, ' ').trim()} ${String(of)}.${version.format}`);
  if (!existsSync(folderOfVersions)) {
    const making = mkdtempSync(join(tmpdir(), 'archetone-versions-'));
    for (const of of chosen)
      writeVersions(
        join(folder, paths[of] ?? ''),
        versions.map((version) => ({ version, to: join(making, basename(versionFile(version, of))) })),
      );
    mkdirSync(join(tmpdir(), 'archetone-bench'), { recursive: true });
    renameSync(making, folderOfVersions);
  }
  if (!existsSync(kept)) {
    const runtime = await openRuntime(pack, { threads: 2 });
    const sounds: MeasuredSound[] = [];
    for (const path of paths) sounds.push(await measured(runtime, join(folder, path)));
    for (const version of versions)
      for (const of of chosen) sounds.push(await measured(runtime, versionFile(version, of)));
    await runtime.close();
    writeFileSync(kept, written(sounds));
  }
  const sounds = read(readFileSync(kept));
  const own = sounds.slice(0, paths.length).map((sound, i) => ({
    ...sound,
    path: paths[i] ?? '',
    file: join(folder, paths[i] ?? ''),
  }));
  return {
    dim: pack.manifest.embeddingDim,
    sounds: own,
    copies: new Map(
      versions.map((version, v) => [
        version.name,
        chosen.flatMap((of, i) => {
          const sound = sounds[paths.length + v * chosen.length + i];
          const path = `${paths[of] ?? ''} as ${version.name}`;
          return sound ? [{ of, sound: { ...sound, path, file: versionFile(version, of) } }] : [];
        }),
      ]),
    ),
  };
}

async function measured(runtime: PackRuntime, path: string): Promise<MeasuredSound> {
  const { sampleRate, windowSamples, embeddingDim: dim } = runtime.pack.manifest;
  const signal = new AbortController().signal;
  const peaks = new PeakAccumulator(sampleRate, PEAKS_PER_SECOND);
  let samples = 0;
  async function* heard(): AsyncGenerator<Float32Array> {
    for await (const piece of decodeMono(path, { sampleRate, signal })) {
      peaks.push(piece);
      samples += piece.length;
      yield piece;
    }
  }
  const vector = new Float32Array(dim);
  let count = 0;
  for await (const { z } of embedWindows(runtime, cutWindows(heard(), { windowSamples }), {
    ...{ batchSize: 2, signal },
  })) {
    if (count < MOST_WINDOWS) {
      z.forEach((value, d) => (vector[d] = (vector[d] ?? 0) + value));
      count++;
    }
  }
  return {
    path,
    file: path,
    contentHash: createHash('sha256').update(readFileSync(path)).digest('hex'),
    durationSeconds: samples / sampleRate,
    peaks: quantisePeaks(peaks.finish()),
    vector: vector.map((value) => value / Math.max(1, count)),
  };
}

function written(sounds: readonly MeasuredSound[]): Uint8Array {
  const flat = sounds.flatMap(({ vector }) => [...vector]);
  const peaks = sounds.flatMap(({ peaks }) => [...peaks]);
  const hashes = sounds.flatMap(({ contentHash }) => [...Buffer.from(contentHash, 'hex')]);
  const column = (values: number[]): { dtype: 'float64'; shape: number[]; data: Float64Array } => ({
    ...{ dtype: 'float64', shape: [values.length], data: Float64Array.from(values) },
  });
  return writeNpz({
    vectors: {
      ...{ dtype: 'float32', shape: [sounds.length, flat.length / Math.max(1, sounds.length)] },
      data: Float32Array.from(flat),
    },
    peaks: { dtype: 'int32', shape: [peaks.length], data: Int32Array.from(peaks) },
    lengths: column(sounds.map(({ peaks }) => peaks.length)),
    seconds: column(sounds.map(({ durationSeconds }) => durationSeconds)),
    hashes: { dtype: 'int32', shape: [hashes.length], data: Int32Array.from(hashes) },
  });
}

function read(file: Uint8Array): MeasuredSound[] {
  const arrays = readNpz(file);
  const get = (name: string): ArrayLike<number> => arrays.get(name)?.data as ArrayLike<number>;
  const [vectors, peaks, lengths, seconds] = [get('vectors'), get('peaks'), get('lengths'), get('seconds')];
  const hashes = get('hashes');
  const dim = vectors.length / Math.max(1, lengths.length);
  let at = 0;
  return Array.from(lengths as Float64Array, (length, i) => {
    const own = Int8Array.from({ length }, (_, j) => peaks[at + j] ?? 0);
    at += length;
    return {
      path: '',
      file: '',
      contentHash: Buffer.from(Array.from({ length: 32 }, (_, j) => hashes[32 * i + j] ?? 0)).toString('hex'),
      durationSeconds: seconds[i] ?? 0,
      peaks: own,
      vector: Float32Array.from({ length: dim }, (_, d) => vectors[i * dim + d] ?? 0),
    };
  });
}
