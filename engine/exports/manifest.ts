import type { Taxonomy } from '../api/domain.ts';
import type { EngineContext, OpenLibrary } from '../context.ts';
import type { Bundle } from './bundle.ts';

/** Names and versions the format of the bundle; readers refuse what they do not know. */
export const EXPORT_SCHEMA = 'archetone.export/1';
export const MANIFEST_FILE = 'manifest.json';

/** Sounds in the bundle and how to make them again; null where the pack makes none or none were asked for. */
export type AudioStatement = { seed: number; steps: number; guidance: number } | null;

/** The part of the manifest that depends on what is exported. */
export interface ManifestSubject {
  kind: 'experiment' | 'reduction';
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

/**
 * Writes `manifest.json`, last, so that it lists every other file. It holds no time, no identifier of this
 * installation and no path outside the bundle: the same experiment gives the same bytes anywhere.
 */
export async function addManifest(
  context: EngineContext,
  library: OpenLibrary,
  bundle: Bundle,
  about: {
    packId: string;
    packSha256: string;
    taxonomyId: string;
    taxonomyName: string;
    audio: AudioStatement;
  },
  { details, ...subject }: ManifestSubject,
): Promise<void> {
  const { manifest: pack } = context.packs.get(about.packId);
  const source = library.db
    .prepare<{ source: string }>('SELECT source FROM taxonomies WHERE id = ?')
    .get([about.taxonomyId])?.source;
  const manifest = {
    schema: EXPORT_SCHEMA,
    archetone: context.options.version,
    ...subject,
    ...details,
    taxonomy: { name: about.taxonomyName, source: sourceWithoutPath(source) },
    pack: {
      id: pack.id,
      version: pack.version,
      sha256: about.packSha256,
      embeddingDim: pack.embeddingDim,
      windowSeconds: pack.windowSeconds,
      sampleRate: pack.sampleRate,
    },
    audio: about.audio,
    licences: [
      { part: `pack ${pack.id} ${pack.version}`, licence: pack.licence, attribution: pack.attribution },
      { part: 'training data of the pack', licence: null, attribution: pack.trainingData.statement },
    ],
    files: bundle.files,
  };
  await bundle.add(MANIFEST_FILE, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Where the labels come from; null when the taxonomy was removed since. */
function sourceWithoutPath(source: string | undefined): { kind: string; field?: string } | null {
  if (source === undefined) return null;
  const parsed = JSON.parse(source) as Taxonomy['source'];
  return parsed.kind === 'tags' ? { kind: parsed.kind, field: parsed.field } : { kind: parsed.kind };
}
