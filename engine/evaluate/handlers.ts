import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type * as z from 'zod';
import type { Handlers } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { EvaluationFormat, EvaluationTable } from '../api/evaluations.ts';
import type { EngineContext } from '../context.ts';
import { writeNew } from '../bundles/write-new.ts';
import { jobKind } from '../jobs/kind.ts';
import { COPIES_FOLDER, type Playback } from '../library/playback.ts';
import { classesOf, flipsOf } from './compare.ts';
import { composeEvaluation } from './compose.ts';
import { describeEvaluation } from './describe.ts';
import { csvOf, latexOf } from './files.ts';
import { svgOf } from './picture.ts';
import { evaluationFolder, evaluationSpecSchema } from './cell-files.ts';
import { LayerKeeper } from './layer-keeper.ts';
import { runEvaluation } from './run.ts';
import { allowedPlaces, nameOfFile } from './source.ts';
import { listEvaluations, removeEvaluation, storedEvaluation, storedSpec, storedTask } from './stored.ts';
import { evaluationTable } from './table.ts';
import { readEvaluationFile } from './yaml.ts';

type Part = Pick<Handlers, Extract<keyof Handlers, `evaluations.${string}`>>;

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** What the table of an evaluation is written as. */
const writers: Readonly<Record<EvaluationFormat, (table: EvaluationTable) => string>> = {
  csv: csvOf,
  latex: latexOf,
  svg: svgOf,
  yaml: ({ text }) => text,
};

/** Tasks × spaces × deformations × probes. */
export function evaluationsHandlers(context: EngineContext, playback: Playback): Part {
  const { jobs, options } = context;
  const { dataFolder } = options;
  const layers = new LayerKeeper(context);
  jobs.register(
    jobKind({
      kind: 'evaluate',
      lane: 'compute',
      resumable: true,
      spec: evaluationSpecSchema,
      title: ({ file }) => `Evaluate ${nameOfFile(file)}`,
      run: async (spec, job) => ({
        kind: 'evaluate',
        ...(await layers.during(() => runEvaluation(context, spec, job))),
      }),
    }),
  );
  const run = (spec: z.output<typeof evaluationSpecSchema>): { jobId: string } => {
    // After a kill the job goes on by itself: whoever asks again is shown that one.
    const same = jobs
      .unfinished('evaluate', null)
      .find((one) => isDeepStrictEqual(evaluationSpecSchema.safeParse(one.spec).data, spec));
    if (!same) return { jobId: jobs.start('evaluate', { libraryId: null, spec }) };
    if (jobs.get(same.id).state === 'paused') jobs.resume(same.id);
    return { jobId: same.id };
  };
  return {
    'evaluations.list': () => listEvaluations(dataFolder),
    'evaluations.read': (asked, { mayName }) => describeEvaluation(context, asked, mayName),
    'evaluations.compose': async (form) => ({ text: await composeEvaluation(context, form) }),
    'evaluations.run': async (asked, { mayName }) =>
      run({ ...asked, allowed: await allowedPlaces(context, asked, mayName) }),
    'evaluations.resume': async ({ evaluationId, overQueue }, { mayName }) => {
      const stored = await storedSpec(dataFolder, evaluationId);
      const spec = { ...stored, overQueue: overQueue ?? stored.overQueue };
      return run({ ...spec, allowed: spec.allowed ?? (await allowedPlaces(context, spec, mayName)) });
    },
    'evaluations.remove': async ({ evaluationId }) => {
      const stored = await storedSpec(dataFolder, evaluationId);
      // Whatever the step, and whoever makes the vectors.
      const runs = jobs.unfinished('evaluate', null).some((one) => {
        const spec = evaluationSpecSchema.safeParse(one.spec).data;
        return spec && isDeepStrictEqual({ ...spec, step: stored.step, overQueue: stored.overQueue }, stored);
      });
      if (runs)
        throw new EngineError('busy', 'This evaluation is being run.', 'Stop its job, then remove it.');
      await removeEvaluation(dataFolder, evaluationId);
      await layers.sweep();
      return null;
    },
    'evaluations.table': ({ evaluationId }) => evaluationTable(dataFolder, evaluationId),
    'evaluations.classes': async ({ evaluationId, ...column }) =>
      classesOf((await storedEvaluation(dataFolder, evaluationId)).cells, column),
    'evaluations.flips': async ({ evaluationId, first, second, ...column }) => {
      const { cells } = await storedEvaluation(dataFolder, evaluationId);
      const items = await storedTask(dataFolder, evaluationId, column.dataset);
      const truths = new Map(items.map((item) => [item.path, item]));
      return flipsOf(cells, column, { first, second }, truths);
    },
    'evaluations.audioUrl': async ({ evaluationId, dataset, track }) => {
      const items = await storedTask(dataFolder, evaluationId, dataset);
      const item = items.find((one) => one.path === track);
      if (!item) throw new EngineError('not-found', `The data set has no track ${track}.`);
      if (item.file === '')
        throw new EngineError('bad-input', 'A row of a data set file has no sound.', 'Look at its file.');
      const copies = join(evaluationFolder(dataFolder, evaluationId), COPIES_FOLDER);
      return { url: await playback.urlOfFile(item.file, copies) };
    },
    'evaluations.save': async ({ content, file }) => {
      readEvaluationFile(content);
      await writeNew(file, content);
      return null;
    },
    'evaluations.picture': async ({ evaluationId }) => ({
      svg: svgOf(await evaluationTable(dataFolder, evaluationId)),
    }),
    'evaluations.savePng': async ({ png, file }) => {
      const bytes = Buffer.from(png, 'base64');
      if (!bytes.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE))
        throw new EngineError('bad-input', 'This is no PNG picture.', 'Export it as SVG.');
      await writeNew(file, bytes);
      return null;
    },
    'evaluations.export': async ({ evaluationId, format, file }) => {
      await writeNew(file, writers[format](await evaluationTable(dataFolder, evaluationId)));
      return null;
    },
  };
}
