import type { SpaceInfo } from '../../api/spaces.ts';
import type { EngineContext } from '../../context.ts';
import type { Bundle } from '../../bundles/bundle.ts';
import {
  sourceWithoutPath,
  writeManifest,
  type Licence,
  type ManifestOrigin,
} from '../../bundles/manifest.ts';
import type { Library } from '../../library/library.ts';
import type { TablePlan } from './plan.ts';
import type { ExportedSpace, TrackSubject } from './subject.ts';

/** Writes the manifest of an export of tracks: what its rows and columns are, and what made them. */
export async function writeTrackManifest(
  context: EngineContext,
  library: Library,
  bundle: Bundle,
  { subject, plan, seed }: { subject: TrackSubject; plan: TablePlan; seed: number },
): Promise<void> {
  const { level, taxonomyId, experimentId } = subject;
  const experiment = experimentId === null ? null : library.experiments.get(experimentId);
  const spaces = plan.spaces.map((exported) => spaceStatement(context, library, exported, plan.trackIds));
  await writeManifest(
    bundle,
    context.options.version,
    {
      kind: 'tracks',
      method: level === 'track' ? 'a row for each track' : 'a row for each window',
      parameters: { level, map: subject.map, neighbours: subject.neighbours },
      seed,
      split: experiment ? { ...experiment.parameters.split, groupBy: experiment.parameters.groupBy } : {},
      classes: experiment?.classes ?? [],
      counts: { tracks: plan.trackIds.length, rows: plan.count },
      metrics: experiment?.metrics ?? null,
      details: {
        spaces: spaces.map(({ statement }) => statement),
        ...(experiment
          ? {
              experiment: {
                name: experiment.name,
                revision: experiment.revision,
                space: experiment.space.key,
              },
            }
          : {}),
      },
    },
    {
      taxonomy: taxonomyStatement(library, taxonomyId),
      ...{ dataset: null, pack: null, space: null, audio: null },
      licences: spaces.flatMap(({ licences }) => licences),
    },
  );
}

function taxonomyStatement(library: Library, taxonomyId: string | null): ManifestOrigin['taxonomy'] {
  if (taxonomyId === null) return null;
  const { name, source } = library.taxonomies.get(taxonomyId);
  return { name, source: sourceWithoutPath(source) };
}

/** A pack that is gone leaves its embeddings behind: they are exported with the name and hash that are known. */
function spaceStatement(
  context: EngineContext,
  library: Library,
  { space, column, dim }: ExportedSpace,
  trackIds: readonly string[],
): { statement: Record<string, unknown>; licences: Licence[] } {
  const pack = context.packs.ofSpace(space);
  return {
    statement: {
      column,
      dim,
      ...keyOf(space),
      pack: pack
        ? { id: pack.manifest.id, version: pack.manifest.version, sha256: pack.sha256 }
        : { id: space.packId, version: null, sha256: space.packSha256 },
      computedBy: library.embeddings.computedBy(space, trackIds),
    },
    licences: pack
      ? [
          {
            part: `pack ${pack.manifest.id} ${pack.manifest.version}`,
            licence: pack.manifest.licence,
            attribution: pack.manifest.attribution,
          },
          {
            part: 'training data of the pack',
            licence: null,
            attribution: pack.manifest.trainingData.statement,
          },
        ]
      : [{ part: `pack ${space.packId}`, licence: null, attribution: 'It is not installed any more.' }],
  };
}

const keyOf = ({ key, windows, deformation }: SpaceInfo): Record<string, unknown> => ({
  key,
  windows,
  deformation,
});
