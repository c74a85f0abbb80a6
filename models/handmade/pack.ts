import { createHash } from 'node:crypto';
import { PackError, packManifestSchema, type PackFiles, type PackManifest } from '../packs/index.ts';
import type { HandmadeSpace } from './handmade-space.ts';

/** Raised when a formula changes: whatever was embedded before is another space then. */
const VERSION = '1.0.0';
const GRAPH = 'embed.onnx';

/**
 * Processors that `graphFile` holds for. Compilers may round a product and a sum once for others, and a number of a graph may then be
 * another in its last bit.
 */
const TAKEN_ON = 'x64';

const fileOf = (graph: Uint8Array): HandmadeSpace['graphFile'] => ({
  sha256: createHash('sha256').update(graph).digest('hex'),
  bytes: graph.length,
});

/** The manifest of the pack of a hand-made space; its graph is only built where its hash is not known. */
export function handmadeManifest(space: HandmadeSpace, processor: string = process.arch): PackManifest {
  const graphFile = processor === TAKEN_ON ? space.graphFile : fileOf(space.graph());
  return packManifestSchema.parse({
    schema: 'archetone.pack/1',
    id: space.id,
    version: VERSION,
    title: space.title,
    kind: 'embedding-only',
    licence: 'Apache-2.0',
    attribution: 'A formula, computed by Archetone.',
    sampleRate: space.sampleRate,
    windowSeconds: space.windowSeconds,
    windowSamples: Math.round(space.sampleRate * space.windowSeconds),
    frameRate: space.frameRate,
    // What a front-end leaves out at the ends is its own business: the graph gives no frames.
    framesPerWindow: Math.max(1, Math.round(space.frameRate * space.windowSeconds)),
    featureDim: space.featureDim,
    embeddingDim: space.embeddingDim,
    trainingData: { statement: `None: nothing in it is learned. ${space.says}`, hours: 0 },
    soundless: 'Its vectors are summaries that no sound can be made of.',
    graphs: {
      embed: { file: GRAPH, ...graphFile },
    },
  });
}

/**
 * The pack of a hand-made space: one graph, the same bytes every time.
 * @throws PackError `hash` when the graph does not come out as the manifest says
 */
export function handmadePack(space: HandmadeSpace): PackFiles {
  const graph = space.graph();
  const manifest = handmadeManifest(space);
  if (fileOf(graph).sha256 !== manifest.graphs.embed?.sha256)
    throw new PackError('hash', `the graph of the pack “${space.id}” does not come out as it should`, {
      file: GRAPH,
      hint: 'Install Archetone again.',
    });
  return { manifest, files: new Map([[GRAPH, graph]]) };
}
