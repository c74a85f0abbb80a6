import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { meanOfRows } from '../../models/embeddings/pooling.ts';
import { describeTrack } from '../../models/descriptors/describe.ts';
import { keyStrength } from '../../models/descriptors/key-strength.ts';
import { ONSET_RATE } from '../../models/descriptors/onsets.ts';
import type { Targets } from '../../models/probes/ridge.ts';
import type { EngineContext } from '../context.ts';
import { writeWhole } from '../files/write-whole.ts';
import type { TaskItem } from './tasks.ts';
import type { VectorStore, Wanted } from './vectors.ts';

const PITCHES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'] as const;
const CHROMA = PITCHES.map((pitch) => `chroma ${pitch}`);
/** The first coefficient is the level, which loudness is. */
const MFCC = Array.from({ length: 12 }, (_, i) => `MFCC ${i + 1}`);

/** What is measured of a track’s sound, each of which counts once; tempo as log2 of beats per minute. */
export const targetGroups: ReadonlyMap<string, readonly string[]> = new Map([
  ['loudness', ['loudness']],
  ['tempo', ['tempo']],
  ['onset density', ['onset density']],
  ['key strength', ['key strength']],
  ['chroma', CHROMA],
  ['MFCC', MFCC],
]);
const names = [...targetGroups.values()].flat();

const descriptorsSchema = z.object({
  loudness: z.number(),
  onsetDensity: z.number(),
  logTempo: z.number().nullable(),
});

/**
 * What is measured of every track, as it is and not deformed: loudness, tempo and onsets over the whole of it, chroma and
 * MFCC (and the key, from the chroma) over the windows that the packs hear. Kept by the content of the file.
 * @param each does the work on one track
 * @throws AudioError, PackError; the signal’s reason
 */
export async function targetsOf(
  context: EngineContext,
  store: VectorStore,
  items: readonly TaskItem[],
  wanted: Wanted,
  each: (item: TaskItem, work: () => Promise<void>) => Promise<void>,
): Promise<Targets> {
  const [chroma, mfcc] = await Promise.all(['chroma', 'mfcc'].map((id) => context.packs.runtime(id)));
  const values = new Float64Array(items.length * names.length).fill(NaN);
  if (!chroma || !mfcc) return { names, values };
  const clean = { ...wanted, scenario: null };
  for (const [row, item] of items.entries()) {
    await each(item, async () => {
      const { loudness, onsetDensity, logTempo } = await described(context, item, wanted.signal);
      const [pitches, cepstra] = [await store.of(item, chroma, clean), await store.of(item, mfcc, clean)];
      const heard = meanOfRows(pitches, chroma.pack.manifest.embeddingDim).subarray(0, PITCHES.length);
      const shape = meanOfRows(cepstra, mfcc.pack.manifest.embeddingDim).subarray(1, MFCC.length + 1);
      values.set(
        [loudness, logTempo ?? NaN, onsetDensity, keyStrength(heard) ?? NaN, ...heard, ...shape],
        row * names.length,
      );
    });
  }
  return { names, values };
}

async function described(
  { options, readers }: EngineContext,
  { file, sha256 }: TaskItem,
  signal: AbortSignal,
): Promise<z.output<typeof descriptorsSchema>> {
  // Another version may measure in another way.
  const folder = join(options.dataFolder, 'evaluations', '.vectors', 'descriptors', options.version);
  const path = join(folder, `${sha256}.json`);
  if (existsSync(path)) return descriptorsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  const found = await describeTrack(readers.decode(file, { sampleRate: ONSET_RATE, signal }));
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, `${JSON.stringify(found)}\n`);
  return found;
}
