import type { ExportResult } from '../api/exports.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { writeBundle, type WriteFile } from '../bundles/bundle.ts';
import { exportExperiment } from './experiment.ts';
import { exportReduction } from './reduction.ts';
import type { ExportSpec } from './spec.ts';
import { exportTracks } from './tracks/export.ts';

/**
 * Writes an export bundle (DESIGN §9). The same experiment or reduction, seed and music folder give the same bytes:
 * nothing in the bundle tells when, where or by which installation it was written.
 * @throws EngineError `bad-input`, `disk-full`, `not-found`, `pack`; the signal's reason
 */
export async function runExport(
  context: EngineContext,
  library: Library,
  { subject, folder, ...request }: ExportSpec,
  job: JobHandle,
  write?: WriteFile,
): Promise<ExportResult> {
  return writeBundle(
    folder,
    job.id,
    (bundle) => {
      switch (subject.kind) {
        case 'experiment':
          return exportExperiment(context, library, subject.experimentId, request, bundle, job);
        case 'reduction':
          return exportReduction(context, library, subject.reductionId, request, bundle, job);
        case 'tracks':
          return exportTracks(context, library, subject, request, bundle, job);
      }
    },
    write,
  );
}
