import { createHash } from 'node:crypto';
import { bandFilter } from '../modulation/filters.ts';
import { packManifestSchema, type PackFiles } from '../packs/index.ts';
import { modulationDim, modulationGraph, modulationWindow } from './modulation.ts';

const VERSION = '1.0.0';
const GRAPH = 'embed.onnx';

/** Edges of a modulation filter, Hz. */
export interface FilterEdges {
  lowHz: number;
  highHz: number;
}

/** What is said of learned filters besides their edges. */
export interface LearnedFiltersFacts {
  title: string;
  /** Whose labels they were learned on: two libraries never share a pack, whose statement tells of one. */
  libraryId: string;
  /** What they were learned on, in a sentence or two. */
  statement: string;
  /** How they were learned and how well they do. */
  figures: Record<string, unknown>;
}

/**
 * The pack of the space that learned modulation filters make: that of the modulation spectrum, with other filters in place of the
 * octaves. Same edges, same facts: same bytes.
 * @param filters 1 to 64, their edges within 0.25 … 98 Hz
 */
export function learnedFiltersPack(filters: readonly FilterEdges[], facts: LearnedFiltersFacts): PackFiles {
  const graph = modulationGraph(
    'learned-modulation',
    filters.map(({ lowHz, highHz }) => bandFilter(lowHz, highHz)),
  );
  const sha256 = createHash('sha256').update(graph).digest('hex');
  const name = createHash('sha256').update(`${sha256} ${facts.libraryId}`).digest('hex').slice(0, 12);
  const { sampleRate, windowSeconds, frameRate, featureDim } = modulationWindow;
  const manifest = packManifestSchema.parse({
    schema: 'archetone.pack/1',
    id: `modulation-${name}`,
    version: VERSION,
    title: facts.title,
    kind: 'embedding-only',
    licence: 'Apache-2.0',
    attribution: 'A formula, computed by Archetone, with edges that were learned here.',
    ...{ sampleRate, windowSeconds, frameRate, featureDim },
    windowSamples: sampleRate * windowSeconds,
    framesPerWindow: frameRate * windowSeconds,
    embeddingDim: modulationDim(filters.length),
    trainingData: { statement: facts.statement },
    soundless: 'Its vectors are summaries that no sound can be made of.',
    quality: { modulationFilters: { edgesHz: filters.map((f) => [f.lowHz, f.highHz]), ...facts.figures } },
    graphs: { embed: { file: GRAPH, sha256, bytes: graph.length } },
  });
  return { manifest, files: new Map([[GRAPH, graph]]) };
}
