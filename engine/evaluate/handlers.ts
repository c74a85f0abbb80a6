import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
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
    'evaluations.run': (spec) =>
      answer(() => {
        // After a kill the job goes on by itself: whoever asks again is shown that one.
        const same = jobs
          .unfinished('evaluate', null)
          .find((one) => isDeepStrictEqual(evaluationSpecSchema.safeParse(one.spec).data, spec));
        if (!same) return { jobId: jobs.start('evaluate', { libraryId: null, spec }) };
        if (jobs.get(same.id).state === 'paused') jobs.resume(same.id);
        return { jobId: same.id };
      }),
    'evaluations.table': ({ evaluationId }) => evaluationTable(options.dataFolder, evaluationId),
  };
}
