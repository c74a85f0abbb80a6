import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { cutWindows, decodeMono } from '../../models/audio/index.ts';
import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { embedWindows } from '../../models/pecmae/embed.ts';
import { compactPackFolder, openRuntime, readPack, type Pack } from '../../models/packs/index.ts';
import { readNpz, writeNpz } from '../../models/tensors/index.ts';

/** Windows of one file that are embedded. */
const MOST_WINDOWS = 4;

/**
 * Embeds the sounds of a folder; the vectors are kept in the folder for temporary files, so that a benchmark can be run
 * again.
 * @param labelsOf labels of a file by its path inside the folder, with forward slashes; none leaves the file out
 * @param other what embeds them in place of the compact pack
 */
export async function embedFolder(
  folder: string,
  labelsOf: (path: string) => string[],
  other?: Pack,
): Promise<LabelledWindows> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => /\.(mp3|wav|flac|ogg)$/i.test(path) && labelsOf(path).length > 0)
    .sort();
  const pack = other ?? (await readPack(compactPackFolder()));
  const { sampleRate, windowSamples, embeddingDim: dim } = pack.manifest;
  const name = createHash('sha256')
    .update(JSON.stringify([folder, paths, pack.sha256, MOST_WINDOWS]))
    .digest('hex');
  const kept = join(tmpdir(), 'archetone-bench', `${name.slice(0, 16)}.npz`);
  if (!existsSync(kept)) {
    const signal = new AbortController().signal;
    const runtime = await openRuntime(pack, { threads: 2 });
    const rows: Float32Array[] = [];
    const of: number[] = [];
    for (const [track, path] of paths.entries()) {
      const windows = cutWindows(decodeMono(join(folder, path), { sampleRate, signal }), { windowSamples });
      let count = 0;
      for await (const { z } of embedWindows(runtime, windows, { batchSize: 2, signal })) {
        rows.push(z);
        of.push(track);
        if (++count === MOST_WINDOWS) break;
      }
    }
    await runtime.close();
    const all = new Float32Array(rows.length * dim);
    rows.forEach((row, i) => all.set(row, i * dim));
    mkdirSync(join(tmpdir(), 'archetone-bench'), { recursive: true });
    writeFileSync(
      kept,
      writeNpz({
        features: { dtype: 'float32', shape: [rows.length, dim], data: all },
        of: { dtype: 'int32', shape: [of.length], data: Int32Array.from(of) },
      }),
    );
  }
  const arrays = readNpz(readFileSync(kept));
  const [features, of] = [arrays.get('features')?.data, arrays.get('of')?.data];
  if (!(features instanceof Float32Array) || !(of instanceof Int32Array))
    throw new Error(`${kept} is no set`);
  const labelNames = [...new Set(paths.flatMap(labelsOf))].sort();
  const labels = new Uint8Array(of.length * labelNames.length);
  of.forEach((track, row) => {
    for (const label of labelsOf(paths[track] ?? ''))
      labels[row * labelNames.length + labelNames.indexOf(label)] = 1;
  });
  return {
    ...{ features, count: of.length, dim, labels, labelNames },
    tracks: { of, ids: paths, groups: paths },
  };
}
