import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { FileReadError, readBounded } from '../files/read.ts';
import { PackError } from './errors.ts';
import { networkProblem, networkSchema } from './network.ts';

/** Name of the manifest inside a pack folder. */
export const MANIFEST_FILE = 'pack.json';
const MAX_MANIFEST_BYTES = 1024 * 1024;
/** Samples of all frames together: phase retrieval takes some 30 bytes for each, and WebAssembly at most 4 GiB. */
const MAX_FRAMED_SAMPLES = 2 ** 26;

/**
 * Largest graph file that is opened. Electron's allocator ends the process on single allocations of about 1 GiB, and
 * ONNX Runtime holds a model more than once while it loads it.
 */
export const MAX_GRAPH_BYTES = 512 * 1024 * 1024;

const plainFile = (extension: string) =>
  z.string().refine((name) => isPlainName(name) && name.endsWith(extension), {
    params: { packError: 'unsafe-path' },
    message: `must be a plain file name ending in ${extension}`,
  });

/** A graph file of a pack or a head. */
export const graphFileSchema = z.strictObject({
  file: plainFile('.onnx'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().positive().max(MAX_GRAPH_BYTES),
});

/** A file that something was made of. */
export const sourceSchema = z.object({
  file: z.string().min(1).max(255),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().positive(),
  /** Where it was downloaded from. */
  url: z.url().optional(),
});

/** A line or two for people. */
export const packText = z.string().trim().min(1).max(4000);
/** What a pack, or a head of one, is called in commands and folders. */
export const packIdSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/);
const text = packText;
const percentiles = z.tuple([z.number(), z.number(), z.number()]);
const count = z.int().positive();

/**
 * `pack.json` (DESIGN §5). Graph files, sizes and the sampler's defaults are strict; the quality card is the maker's
 * to extend, so anything may stand in `quality`, and unknown top-level fields are ignored.
 */
export const packManifestSchema = z
  .object({
    schema: z.literal('archetone.pack/1'),
    id: packIdSchema,
    version: z.string().regex(/^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$/),
    title: text,
    kind: z.enum(['generative', 'embedding-only']),
    licence: text,
    /** The licence forbids commercial use. */
    nonCommercial: z.boolean().optional(),
    attribution: text,
    /** Hz, mono. */
    sampleRate: count.min(4000).max(192_000),
    windowSeconds: z.number().positive().max(60),
    /** S: samples per window, `sampleRate · windowSeconds` rounded. */
    windowSamples: count,
    /** Feature frames per second. */
    frameRate: z.number().positive().max(1000),
    /** T: feature frames per window. */
    framesPerWindow: count.max(60_000),
    /** F: numbers per frame. */
    featureDim: count.max(4096),
    /** D: numbers per embedding. */
    embeddingDim: count.max(8192),
    /** Its embeddings are those of another pack, projected: what `embed` or `summary` gives goes through `projection`. */
    projectionOf: z
      .strictObject({
        /** Of the pack whose embeddings are projected. */
        encoderSha256: z.string().regex(/^[0-9a-f]{64}$/),
        packId: z.string().max(64),
        title: text,
        embeddingDim: count.max(8192),
        /** How the projection was learned, and how well it does: its maker's to shape. */
        learned: z.record(z.string(), z.unknown()).default({}),
      })
      .optional(),
    /** Defaults of sonification; needed by generative packs. */
    sampler: z
      .strictObject({
        steps: count.max(1000),
        guidance: z.number().min(0).max(50),
        /** How a step is made: packs from before there was a choice meant `ddim`. */
        method: z.enum(['ddim', 'multistep']).default('ddim'),
        /** Standard deviation of the noise that sampling starts from. */
        initialNoise: z.number().positive().max(4).default(1),
        /** Draws for each vector, of which the one heard most like the vector is kept. */
        candidates: count.max(64).default(1),
        /** Cosine of the vector and what is heard in a draw at which no further one is made; 1 always makes them all. */
        accept: z.number().min(-1).max(1).default(1),
      })
      .optional(),
    /**
     * The decoder gives magnitudes and spectra to start from instead of a waveform (outputs `magnitude`, `real`, `imaginary`
     * `[B, T, size/2 + 1]`), and the phases are retrieved by fast Griffin-Lim outside of the graph.
     */
    phaseRetrieval: z
      .strictObject({
        /** Samples per frame, a power of two, under a periodic Hann window. */
        size: count.min(16).max(16_384),
        /** Samples between frames. */
        hop: count.max(16_384),
        rounds: count.max(1000),
        momentum: z.number().min(0).lt(1),
      })
      .optional(),
    trainingData: z.object({
      statement: text,
      /** Left out where the maker of the model does not say. */
      hours: z.number().nonnegative().optional(),
      card: plainFile('.json').optional(),
    }),
    /** Why an embedding-only pack makes no sound, in a sentence or two. */
    soundless: text.optional(),
    /** The files that the pack was converted from. */
    sources: z.array(sourceSchema).max(16).optional(),
    graphs: z.strictObject({
      features: graphFileSchema.optional(),
      encoder: graphFileSchema.optional(),
      summary: graphFileSchema.optional(),
      denoiser: graphFileSchema.optional(),
      decoder: graphFileSchema.optional(),
      embed: graphFileSchema.optional(),
      network: graphFileSchema.optional(),
      projection: graphFileSchema.optional(),
    }),
    /** How the graph `network`, which is as its maker published it, is fed and read. */
    network: networkSchema.optional(),
    quality: z.record(z.string(), z.unknown()).default({}),
    /** 5th, 50th and 95th percentile over the windows of the training audio. */
    levels: z.object({ rmsDbfs: percentiles, centroidHz: percentiles }).optional(),
  })
  .superRefine((pack, context) => {
    const problem = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    const samples = Math.round(pack.sampleRate * pack.windowSeconds);
    if (pack.windowSamples !== samples)
      problem('windowSamples', `must be sampleRate · windowSeconds = ${samples}`);
    // Front-ends without padding lose up to one frame at each end.
    if (Math.abs(pack.framesPerWindow - pack.frameRate * pack.windowSeconds) > 2)
      problem('framesPerWindow', 'does not fit frameRate · windowSeconds');
    const { graphs } = pack;
    if (!graphs.embed && !graphs.network && !(graphs.features && graphs.encoder && graphs.summary))
      problem('graphs', 'needs embed, or network, or features + encoder + summary');
    if ((graphs.network === undefined) !== (pack.network === undefined))
      problem('network', 'the graph network and its description belong together');
    const misfit =
      pack.network === undefined
        ? null
        : networkProblem(pack.network, { ...pack, embeddingDim: encodedDim(pack) });
    if (misfit !== null) problem('network', misfit);
    if ((graphs.projection === undefined) !== (pack.projectionOf === undefined))
      problem('projectionOf', 'belongs to a projection graph, and the graph to it');
    const { phaseRetrieval: phase } = pack;
    if (phase && (!Number.isInteger(Math.log2(phase.size)) || phase.hop > phase.size))
      problem('phaseRetrieval', 'needs a size that is a power of two and not below hop');
    if (phase && phase.hop * pack.framesPerWindow !== pack.windowSamples)
      problem('phaseRetrieval', 'hop · framesPerWindow must be windowSamples');
    if (phase && phase.size * pack.framesPerWindow > MAX_FRAMED_SAMPLES)
      problem('phaseRetrieval', `size · framesPerWindow must be at most ${MAX_FRAMED_SAMPLES}`);
    if (pack.kind === 'generative') {
      if (!graphs.denoiser || !graphs.decoder)
        problem('graphs', 'a generative pack needs denoiser and decoder');
      if (!pack.sampler) problem('sampler', 'a generative pack needs sampler defaults');
    }
  });

/** A schema-checked `pack.json`. */
export type PackManifest = z.output<typeof packManifestSchema>;
/** The graphs a pack may hold. */
export type GraphName = keyof PackManifest['graphs'];

/** A pack whose manifest has been read; its graph files are checked by `verifyPack` and whenever one is opened. */
export interface Pack {
  /** Absolute or caller-relative folder. */
  folder: string;
  manifest: PackManifest;
  /** Of the bytes of `pack.json`, which in turn names the hash of every graph: it identifies the whole pack. */
  sha256: string;
  /** Of all that has a part in a vector: packs that share it make the same vectors, whatever else they hold. */
  encoderSha256: string;
}

/** The graphs that make embeddings, in the order in which they run. */
export function encoderGraphs({ graphs }: Pick<PackManifest, 'graphs'>): readonly GraphName[] {
  const encoder = encodingGraphs(graphs);
  return graphs.projection ? [...encoder, 'projection'] : encoder;
}

function encodingGraphs(graphs: PackManifest['graphs']): readonly GraphName[] {
  if (graphs.embed) return ['embed'];
  if (!graphs.network) return ['features', 'encoder', 'summary'];
  return graphs.features ? ['features', 'network'] : ['network'];
}

/** Numbers of an embedding before it is projected; as many as of one where nothing is. */
export function encodedDim({
  projectionOf,
  embeddingDim,
}: Pick<PackManifest, 'projectionOf' | 'embeddingDim'>): number {
  return projectionOf?.embeddingDim ?? embeddingDim;
}

/**
 * Of the graphs that make embeddings, and of the windows they see. Databases hold it, so what it is made of never
 * changes.
 */
export function encoderHash(manifest: PackManifest): string {
  const { graphs, sampleRate, windowSeconds, network } = manifest;
  const names = encoderGraphs(manifest);
  const text = JSON.stringify([
    sampleRate,
    windowSeconds,
    names.map((name) => [name, graphs[name]?.sha256]),
    // What is read beside the embedding has no part in it.
    ...(network && !graphs.embed ? [{ ...network, tags: undefined }] : []),
  ]);
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Reads and checks the manifest of the pack in `folder`; the graph files are not touched.
 * @throws PackError `missing` | `manifest` | `size` | `unsafe-path`
 */
export async function readPack(folder: string): Promise<Pack> {
  const bytes = await readBoundedFile(folder, MANIFEST_FILE);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new PackError('manifest', `${MANIFEST_FILE} is not JSON`, { file: MANIFEST_FILE, cause });
  }
  const parsed = packManifestSchema.safeParse(json);
  if (!parsed.success) throw manifestError(parsed.error);
  return {
    folder,
    manifest: parsed.data,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    encoderSha256: encoderHash(parsed.data),
  };
}

/**
 * The bytes of a small file that describes what lies beside it.
 * @throws PackError `missing` | `size` | `unsafe-path`
 */
export async function readBoundedFile(folder: string, file: string): Promise<Buffer> {
  try {
    return await readBounded(join(folder, file), MAX_MANIFEST_BYTES);
  } catch (cause) {
    const problem = cause instanceof FileReadError ? cause : null;
    if (problem?.problem === 'not-a-file')
      throw new PackError('unsafe-path', `${file} is not a file`, { file });
    if (problem?.problem === 'too-large')
      throw new PackError('size', `${file} has ${problem.bytes ?? 'too many'} bytes`, { file });
    throw new PackError('missing', `there is no readable ${file} in ${folder}`, { file, cause });
  }
}

function manifestError(error: z.ZodError): PackError {
  const unsafe = error.issues.find(
    (issue) => issue.code === 'custom' && issue.params?.['packError'] === 'unsafe-path',
  );
  const issues = unsafe ? [unsafe] : error.issues.slice(0, 3);
  const text = issues.map((issue) => `${issue.path.join('.') || 'pack'}: ${issue.message}`).join('; ');
  return new PackError(unsafe ? 'unsafe-path' : 'manifest', `${MANIFEST_FILE}: ${text}`, {
    file: MANIFEST_FILE,
    cause: error,
  });
}

/** Letters, digits, dot, dash, underscore; no folder part, no leading dot, no Windows device name. */
function isPlainName(name: string): boolean {
  return (
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name) &&
    !name.includes('..') &&
    !/^(con|prn|aux|nul|com\d|lpt\d)\./i.test(name)
  );
}
