import { createHash } from 'node:crypto';
import { PackError, packManifestSchema, type PackFiles, type PackManifest } from '../packs/index.ts';
import type { HandmadeSpace } from './handmade-space.ts';

/** Raised when a formula changes: whatever was embedded before is another space then. */
const VERSION = '1.0.0';
const GRAPH = 'embed.onnx';

/** The manifest of the pack of a hand-made space; its graph is not built. */
export function handmadeManifest(space: HandmadeSpace): PackManifest {
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
      embed: { file: GRAPH, ...space.graphFile },
    },
  });
}

/**
 * The pack of a hand-made space: one graph, the same bytes every time.
 * @throws PackError `hash` when the graph does not come out as the manifest says
 */
export function handmadePack(space: HandmadeSpace): PackFiles {
  const graph = space.graph();
  if (createHash('sha256').update(graph).digest('hex') !== space.graphFile.sha256)
    throw new PackError('hash', `the graph of the pack “${space.id}” does not come out as it should`, {
      file: GRAPH,
      hint: 'Install Archetone again.',
    });
  return { manifest: handmadeManifest(space), files: new Map([[GRAPH, graph]]) };
}
