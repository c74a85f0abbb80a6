import type { Head, Pack, PackRuntime } from '../../models/packs/index.ts';
import type { JobLane } from '../api/jobs.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { misfit } from './heads.ts';

/** What names classes for patches of sound: the tags of a pack's own network, or a head behind its embeddings. */
export interface Tagger {
  pack: Pack;
  /** Null: the tags that the network of the pack gives itself. */
  headId: string | null;
  title: string;
  classes: readonly string[];
  /** Of two classes of which one denies the other, the one that does not. */
  positive: string | null;
  /** Of a window. */
  patches: number;
  /** Seconds. */
  patchSeconds: number;
  hopSeconds: number;
  /** Of all that has a part in what it says: whoever shares it says the same. */
  key: string;
  /** `[windows, patches, classes]` of waveforms `[windows, S]`. @throws PackError */
  predict: (waveforms: Float32Array, windows: number) => Promise<Float32Array>;
}

/** What names the tags of a pack, or of a head of it: another name, other tags. Null where there are none now. */
export function taggerKey(
  { packs }: Pick<EngineContext, 'packs'>,
  { packId, headId }: { packId: string; headId: string | null },
): string | null {
  const pack = packs.find(packId);
  if (!pack) return null;
  if (headId === null) {
    const tags = pack.manifest.network?.tags;
    return tags ? keyOf(pack, tags) : null;
  }
  const head = packs.heads.of(packId).find(({ manifest }) => manifest.id === headId);
  return head ? headKey(pack, head) : null;
}

const keyOf = (pack: Pack, { output }: { output: string }): string => `${pack.encoderSha256} ${output}`;
const headKey = (pack: Pack, { manifest }: Head): string =>
  `${pack.encoderSha256} ${manifest.graph.sha256} ${manifest.output}`;

/**
 * The tags of a pack, or a head of it, for the work of one lane.
 * @throws EngineError `pack` where the pack has no tags, or no such head, or gives other embeddings than the head takes
 */
export async function taggerOf(
  { packs }: Pick<EngineContext, 'packs'>,
  { packId, headId }: { packId: string; headId: string | null },
  lane: JobLane = 'compute',
): Promise<Tagger> {
  const pack = packs.get(packId);
  const { network, graphs, title, sampleRate, windowSeconds, frameRate, embeddingDim } = pack.manifest;
  // Frames of a front-end, or samples.
  const perSecond = graphs.features ? frameRate : sampleRate;
  const around = {
    pack,
    ...(network && !graphs.embed
      ? {
          patches: network.patches,
          patchSeconds: network.patch / perSecond,
          hopSeconds: network.hop / perSecond,
        }
      : { patches: 1, patchSeconds: windowSeconds, hopSeconds: windowSeconds }),
  };
  if (headId === null) {
    const tags = network?.tags;
    if (!tags) throw noTags(packId, packs.heads.of(packId));
    const runtime = await packs.runtime(packId, lane);
    return {
      ...around,
      ...{ headId, title, classes: tags.classes, positive: null },
      key: keyOf(pack, tags),
      predict: (waveforms, windows) => runtime.tags(waveforms, windows),
    };
  }
  const head = packs.heads.get(packId, headId);
  const { manifest } = head;
  if (manifest.embeddingDim !== embeddingDim) throw misfit(head, { id: packId, embeddingDim });
  const runtime = await packs.runtime(packId, lane);
  return {
    ...around,
    ...{ headId, title: manifest.title, classes: manifest.classes, positive: manifest.positive },
    key: headKey(pack, head),
    predict: (waveforms, windows) =>
      behind(runtime, waveforms, windows, (rows, count) => packs.heads.predict(head, rows, count, lane)),
  };
}

/** How many patches of a window, the first ones, do not reach beyond its sound. */
export function soundingPatches(
  {
    patches,
    patchSeconds,
    hopSeconds,
    pack,
  }: Pick<Tagger, 'patches' | 'patchSeconds' | 'hopSeconds' | 'pack'>,
  validSamples: number,
): number {
  const { sampleRate } = pack.manifest;
  for (let p = 0; p < patches; p++)
    // Seconds are no whole samples for every length.
    if (Math.round((p * hopSeconds + patchSeconds) * sampleRate) > validSamples) return p;
  return patches;
}

/** Every patch is predicted by itself: the prediction of a mean is another figure. */
async function behind(
  runtime: PackRuntime,
  waveforms: Float32Array,
  windows: number,
  predict: (rows: Float32Array, count: number) => Promise<Float32Array>,
): Promise<Float32Array> {
  const rows = await runtime.patchEmbeddings(waveforms, windows);
  return predict(rows, rows.length / runtime.pack.manifest.embeddingDim);
}

function noTags(packId: string, heads: readonly Head[]): EngineError {
  return new EngineError(
    'pack',
    `The pack “${packId}” has no tags of its own.`,
    heads.length > 0
      ? `Name one of its heads: ${heads.map(({ manifest }) => manifest.id).join(', ')}.`
      : 'Choose a pack that was made of a tagger, with its classes in the JSON beside it, or one with heads: “archetone packs list” shows them.',
  );
}
