import { createHash } from 'node:crypto';
import { encoderGraphs, packManifestSchema, type Pack, type PackFiles } from '../packs/index.ts';
import { projectionGraph, type LearnedProjection } from './projection.ts';

const GRAPH = 'projection.onnx';

/** What is said of a learned space besides its graphs. */
export interface LearnedPackFacts {
  title: string;
  /** Whose playlists it was learned from: two libraries never share a pack, whose card tells of one. */
  libraryId: string;
  /** How it was learned and how well it does. */
  card: Record<string, unknown>;
}

/** Ids of learned packs begin so. */
export const LEARNED_PACK = 'learned-';

/**
 * The pack of a learned space: the graphs of the pack it was learned on, and the projection behind them. The files of the
 * other graphs are those of that pack, under the same names. Same projection, same facts: same bytes.
 * @param parent not itself a projection
 * @throws RangeError when the projection does not take the parent's embeddings
 */
export function learnedPack(parent: Pack, projection: LearnedProjection, facts: LearnedPackFacts): PackFiles {
  const { manifest } = parent;
  if (manifest.graphs.projection || projection.layers[0] !== manifest.embeddingDim)
    throw new RangeError(`the pack ${manifest.id} is not what was projected`);
  const graph = projectionGraph(projection);
  const sha256 = createHash('sha256').update(graph).digest('hex');
  const name = createHash('sha256')
    .update(`${parent.encoderSha256} ${sha256} ${facts.libraryId}`)
    .digest('hex')
    .slice(0, 12);
  const graphs = Object.fromEntries(encoderGraphs(manifest).map((part) => [part, manifest.graphs[part]]));
  const learned = packManifestSchema.parse({
    schema: 'archetone.pack/1',
    id: `${LEARNED_PACK}${name}`,
    version: '1.0.0',
    title: facts.title,
    kind: 'embedding-only',
    licence: manifest.licence,
    attribution: manifest.attribution,
    sampleRate: manifest.sampleRate,
    windowSeconds: manifest.windowSeconds,
    windowSamples: manifest.windowSamples,
    frameRate: manifest.frameRate,
    framesPerWindow: manifest.framesPerWindow,
    featureDim: manifest.featureDim,
    ...(manifest.network && { network: manifest.network }),
    embeddingDim: projection.layers.at(-1),
    projectionOf: {
      encoderSha256: parent.encoderSha256,
      packId: manifest.id,
      title: manifest.title,
      embeddingDim: manifest.embeddingDim,
      learned: facts.card,
    },
    trainingData: {
      statement: `${manifest.trainingData.statement} On top of it, playlists of its owner.`,
      ...(manifest.trainingData.hours === undefined ? {} : { hours: manifest.trainingData.hours }),
    },
    soundless: `It keeps of an embedding of “${manifest.title}” only what playlists tell, which is too little to make a sound of.`,
    graphs: { ...graphs, projection: { file: GRAPH, sha256, bytes: graph.length } },
  });
  return { manifest: learned, files: new Map([[GRAPH, graph]]) };
}
