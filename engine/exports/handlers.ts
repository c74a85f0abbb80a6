import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { getExperiment } from '../experiments/store.ts';
import { exportSpecSchema, runExport } from './run.ts';
import { typed } from '../packs/failures.ts';
import { getReduction } from '../reductions/store.ts';
import { answer } from '../answer.ts';

/** Bundles that other programs can read. */
export function exportsHandlers(context: EngineContext): Pick<Handlers, 'exports.start'> {
  context.jobs.register('export', (spec, job) =>
    typed(async () => {
      const { libraryId, ...request } = exportSpecSchema.parse(spec);
      const library = context.libraries.get(libraryId);
      return { kind: 'export', export: await runExport(context, library, request, job) };
    }),
  );
  return {
    'exports.start': (spec) =>
      answer(() => {
        const library = context.libraries.get(spec.libraryId);
        const { subject } = spec;
        // A wrong id is answered at once rather than by a failed job.
        if (subject.kind === 'experiment') getExperiment(library, subject.experimentId);
        else getReduction(library, subject.reductionId);
        const title = `Export to ${spec.folder}`;
        return { jobId: context.jobs.start('export', { title, libraryId: spec.libraryId, spec }) };
      }),
  };
}
