import * as z from 'zod';

/** How the rows of an output that has several for a patch, such as the tokens of a transformer, become one vector. */
export const tokenChoices = ['mean', 'cls', 'dist', 'stack'] as const;
/**
 * `mean`: of all rows. `cls`, `dist`: the first, the second. `stack`: the first, the second and the mean of the others, one
 * after the other, as MAEST's authors do.
 */
export type TokenChoice = (typeof tokenChoices)[number];

const name = z.string().min(1).max(255);
const size = z.int().positive().max(1_000_000);

/** How a published network is fed with patches, and what of its outputs is read. */
export const networkSchema = z.strictObject({
  input: z.strictObject({
    name,
    /** `one` is an axis of size 1; a network that listens to the waveform has no bands. */
    axes: z
      .array(z.enum(['batch', 'time', 'band', 'one']))
      .min(2)
      .max(6),
  }),
  /** Patches that have to be given at once; left out where any number is taken. */
  batch: size.max(4096).optional(),
  /** Frames of a patch; samples where there is no front-end. */
  patch: size,
  /** From the start of one patch to the start of the next. */
  hop: size,
  /** In a window; its embedding is the mean of theirs. */
  patches: size.max(4096),
  embedding: z.strictObject({
    output: name,
    /** Sizes behind the batch; null where only running tells. */
    dims: z.array(size.nullable()).min(1).max(5),
    tokens: z.enum(tokenChoices),
  }),
  /** A probability, or another number, for each class and patch. */
  tags: z.strictObject({ output: name, classes: z.array(z.string().max(255)).min(1).max(10_000) }).optional(),
});

export type NetworkDescription = z.output<typeof networkSchema>;

/** Numbers of the vector that a choice of tokens gives; null where the network does not say how wide a row is. */
export function embeddingWidth({ dims, tokens }: NetworkDescription['embedding']): number | null {
  const width = dims.at(-1) ?? null;
  return width === null ? null : tokens === 'stack' ? 3 * width : width;
}

/** Numbers that a network of a fixed batch may take at once: 256 MiB. */
const MOST_AT_ONCE = 2 ** 26;

interface Around {
  graphs: { features?: unknown };
  framesPerWindow: number;
  windowSamples: number;
  featureDim: number;
  embeddingDim: number;
}

/** What of a description contradicts itself or the rest of its manifest, or null. */
export function networkProblem(network: NetworkDescription, pack: Around): string | null {
  const { input, embedding, patch, hop, patches } = network;
  const axes = (kind: string) => input.axes.filter((axis) => axis === kind).length;
  if (axes('batch') !== 1 || input.axes[0] !== 'batch' || axes('time') !== 1 || axes('band') > 1)
    return 'its input needs the axes batch (first) and time, and at most one of bands';
  if (axes('band') === 0 && pack.featureDim !== 1) return 'its input has no bands, the front-end has several';
  const length = pack.graphs.features === undefined ? pack.windowSamples : pack.framesPerWindow;
  if ((patches - 1) * hop + patch > length) return 'its patches do not fit into a window';
  if ((network.batch ?? 1) * patch * pack.featureDim > MOST_AT_ONCE)
    return 'its network takes more at once than is given to one';
  if (embedding.dims.filter((dim) => dim === null).length > 1)
    return 'only one size of its output may be open';
  if (embeddingWidth(embedding) !== pack.embeddingDim) return 'the width of its output is not embeddingDim';
  return null;
}
