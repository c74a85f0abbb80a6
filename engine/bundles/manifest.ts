import { spaceKey } from '../../models/embeddings/space.ts';
import type { SoundOrigin } from '../api/sonify.ts';
import type { ComputedBy, SpaceInfo } from '../api/spaces.ts';
import type { TaxonomySource } from '../api/taxonomies.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { EXPORT_SCHEMA, MANIFEST_FILE } from '../../models/datasets/index.ts';
import { packOfSpace } from '../packs/of-space.ts';
import type { Bundle } from './bundle.ts';

/** Sounds in the bundle and how to make them again; null where the pack makes none or none were asked for. */
export type AudioStatement = {
  seed: number;
  /** Of the sampler: `ddim` or `multistep`. */
  method: string;
  steps: number;
  guidance: number;
  from: SoundsStart;
} | null;

/** The way of sounding, and the recordings that sounds began with; none where all are from noise. */
export type SoundsStart = SoundOrigin & {
  recordings: { file: string; path: string; windowIndex: number; startSeconds: number }[];
};

/** The part of the manifest that depends on what is exported. */
export interface ManifestSubject {
  kind: 'experiment' | 'reduction' | 'tracks';
  method: string;
  parameters: Record<string, unknown>;
  seed: number;
  split: Record<string, unknown>;
  classes: string[];
  counts: Record<string, unknown>;
  metrics: unknown;
  /** More that only this kind has. */
  details: Record<string, unknown>;
}

/** A licence that comes with a part of the bundle. */
export interface Licence {
  part: string;
  /** SPDX name; null where only the statement is known. */
  licence: string | null;
  attribution: string;
}

/** Where the vectors and labels of a bundle come from: a library, or a data set file. */
export interface ManifestOrigin {
  taxonomy: { name: string; source: { kind: string; field?: string } | null } | null;
  /** `sha256` is null where the file was not read again for the export. */
  dataset: { name: string; sha256: string | null } | null;
  pack: {
    id: string;
    version: string;
    sha256: string;
    embeddingDim: number;
    windowSeconds: number;
    sampleRate: number;
  } | null;
  /**
   * The embedding space of all vectors, with the pack; equal keys can be compared. `computedBy`: each way in which the
   * tracks' vectors were computed; none where versions computed all of them that did not say.
   */
  space: {
    key: string;
    windows: 'all' | number;
    deformation: string | null;
    computedBy: ComputedBy[];
  } | null;
  audio: AudioStatement;
  licences: Licence[];
}

/**
 * Writes `manifest.json`, last, so that it lists every other file. It holds no time, no identifier of this
 * installation and no path outside the bundle: the same experiment gives the same bytes anywhere.
 */
export async function writeManifest(
  bundle: Bundle,
  version: string,
  { details, ...subject }: ManifestSubject,
  origin: ManifestOrigin,
): Promise<void> {
  const manifest = {
    schema: EXPORT_SCHEMA,
    archetone: version,
    ...subject,
    ...details,
    ...origin,
    files: bundle.files,
  };
  await bundle.add(MANIFEST_FILE, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The origin of what a library holds. */
export function libraryOrigin(
  context: EngineContext,
  library: Library,
  about: { space: SpaceInfo; taxonomyId: string; taxonomyName: string; trackIds: readonly string[] },
  audio: AudioStatement,
): ManifestOrigin {
  const { space } = about;
  const { manifest: pack, sha256, encoderSha256 } = packOfSpace(context, space, 'this was made with');
  const { windows, deformation } = space;
  const { taxonomies } = library;
  const source = taxonomies.has(about.taxonomyId) ? taxonomies.sourceOf(about.taxonomyId) : null;
  return {
    taxonomy: { name: about.taxonomyName, source: sourceWithoutPath(source) },
    dataset: null,
    pack: {
      id: pack.id,
      version: pack.version,
      sha256,
      embeddingDim: pack.embeddingDim,
      windowSeconds: pack.windowSeconds,
      sampleRate: pack.sampleRate,
    },
    space: {
      // Libraries of earlier versions call it otherwise.
      key: spaceKey({ encoderSha256, windows, deformation }),
      windows,
      deformation,
      computedBy: library.embeddings.computedBy(space, about.trackIds),
    },
    audio,
    licences: [
      { part: `pack ${pack.id} ${pack.version}`, licence: pack.licence, attribution: pack.attribution },
      { part: 'training data of the pack', licence: null, attribution: pack.trainingData.statement },
    ],
  };
}

/** The origin of what was made from a data set file, which says nothing about its licence. */
export function datasetOrigin(name: string, sha256: string | null): ManifestOrigin {
  return {
    taxonomy: null,
    dataset: { name, sha256 },
    pack: null,
    space: null,
    audio: null,
    licences: [
      { part: `data set ${name}`, licence: null, attribution: 'As stated where the data set comes from.' },
    ],
  };
}

/** Where the labels come from; null when the taxonomy was removed since. */
export function sourceWithoutPath(source: TaxonomySource | null): { kind: string; field?: string } | null {
  if (source === null) return null;
  return source.kind === 'tags' ? { kind: source.kind, field: source.field } : { kind: source.kind };
}
