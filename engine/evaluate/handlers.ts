import { basename } from 'node:path';
import type { Handlers } from '../api/contract.ts';
import { answer } from '../answer.ts';
import type { EngineContext } from '../context.ts';
import { jobKind } from '../jobs/kind.ts';
import { evaluationSpecSchema, runEvaluation } from './run.ts';
import { evaluationTable } from './table.ts';

/** Tasks × spaces × deformations × probes. */
export function evaluationsHandlers(
  context: EngineContext,
): Pick<Handlers, 'evaluations.run' | 'evaluations.table'> {
  const { jobs, options } = context;
  jobs.register(
    jobKind({
      kind: 'evaluate',
      lane: 'compute',
      resumable: true,
      spec: evaluationSpecSchema,
      title: ({ file }) => `Evaluate ${basename(file)}`,
      run: async (spec, job) => ({ kind: 'evaluate', ...(await runEvaluation(context, spec, job)) }),
    }),
  );
  return {
    'evaluations.run': (spec) => answer(() => ({ jobId: jobs.start('evaluate', { libraryId: null, spec }) })),
    'evaluations.table': ({ evaluationId }) => evaluationTable(options.dataFolder, evaluationId),
  };
}
