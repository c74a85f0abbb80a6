import type { Head, Pack } from '../../models/packs/index.ts';
import type { PackInfo } from '../api/packs.ts';
import { figuresOf } from './figures.ts';

/**
 * Describes a pack to a shell.
 * @param embedded whether the pack came with the application.
 */
export function packInfo(pack: Pack, embedded: boolean, heads: readonly Head[]): PackInfo {
  const { manifest } = pack;
  return {
    id: manifest.id,
    version: manifest.version,
    title: manifest.title,
    kind: manifest.kind,
    licence: manifest.licence,
    nonCommercial: manifest.nonCommercial === true,
    attribution: manifest.attribution,
    folder: pack.folder,
    sha256: pack.sha256,
    bytes: Object.values(manifest.graphs).reduce((sum, graph) => sum + (graph?.bytes ?? 0), 0),
    sampleRate: manifest.sampleRate,
    windowSeconds: manifest.windowSeconds,
    embeddingDim: manifest.embeddingDim,
    sampler: manifest.sampler ? { steps: manifest.sampler.steps, guidance: manifest.sampler.guidance } : null,
    trainingStatement: manifest.trainingData.statement,
    quality: figuresOf(manifest.quality),
    embedded,
    learned: manifest.projectionOf !== undefined,
    tags: manifest.network?.tags?.classes ?? [],
    heads: heads.map(({ manifest: head, folder, sha256 }) => ({
      ...{ id: head.id, title: head.title, classes: head.classes, positive: head.positive },
      ...{ licence: head.licence, nonCommercial: head.nonCommercial, attribution: head.attribution },
      ...{ trainingStatement: head.trainingData.statement, folder, sha256 },
    })),
    soundless: manifest.kind === 'generative' ? null : (manifest.soundless ?? 'It has no decoder.'),
    sources: (manifest.sources ?? []).map(({ url = null, ...source }) => ({ ...source, url })),
  };
}
