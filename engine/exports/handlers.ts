import { counted } from '../../models/text/counted.ts';
import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { sweepPartial } from '../bundles/bundle.ts';
import { runExport } from './run.ts';
import { exportSpecSchema, type ExportSpec } from './spec.ts';
import { jobKind } from '../jobs/kind.ts';
import { answer } from '../answer.ts';

/** Bundles that other programs can read. */
export function exportsHandlers(context: EngineContext): Pick<Handlers, 'exports.start'> {
  context.jobs.register(
    jobKind({
      kind: 'export',
      lane: 'compute',
      spec: exportSpecSchema,
      title: ({ libraryId, subject, folder }) =>
        `Export ${nameOfSubject(context.libraries.get(libraryId), subject)} to ${folder}`,
      run: async ({ libraryId, ...request }, job) => {
        const library = context.libraries.get(libraryId);
        return { kind: 'export', export: await runExport(context, library, request, job) };
      },
      abandoned: ({ folder }, jobId) => sweepPartial(folder, jobId),
    }),
  );
  return {
    'exports.start': (spec) =>
      answer(() => ({ jobId: context.jobs.start('export', { libraryId: spec.libraryId, spec }) })),
  };
}

/** @throws EngineError `not-found` */
function nameOfSubject(library: Library, subject: ExportSpec['subject']): string {
  switch (subject.kind) {
    case 'experiment':
      return library.experiments.get(subject.experimentId).name;
    case 'reduction':
      return library.reductions.get(subject.reductionId).name;
    case 'tracks':
      if (subject.trackIds === null) return `all tracks of ${library.summary().name}`;
      return counted(subject.trackIds.length, 'track');
  }
}
