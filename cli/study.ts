import type { Input } from '../engine/api/contract.ts';
import type { Reduction } from '../engine/api/reductions.ts';
import { searchedSizes, type Recommendation, type Study } from '../engine/api/studies.ts';
import { EngineError } from '../engine/api/errors.ts';
import type { Session } from './session.ts';

type Request = Input<'reductions.study'>['request'];

/**
 * Makes one reduction: a study of a single run.
 * @throws EngineError `reduction` with the method's own words when it refuses this data; of the job, or `cancelled`
 */
export async function studyOfOne(
  session: Session,
  libraryId: string,
  { run, ...request }: Omit<Request, 'runs'> & { run: Request['runs'][number] },
): Promise<{ study: Study; reduction: Reduction }> {
  const { client, signal } = session;
  const { studyId } = await session.run('study', () =>
    client.call('reductions.study', { libraryId, request: { ...request, runs: [run] } }, { signal }),
  );
  const studies = await client.call('reductions.studies', { libraryId });
  const study = studies.find(({ id }) => id === studyId);
  const [reduction] = await client.call('reductions.list', { libraryId, studyId });
  if (study && reduction) return { study, reduction };
  const [failure] = study?.failures ?? [];
  throw new EngineError('reduction', failure?.message ?? 'The study is gone.', failure?.hint ?? '');
}

/**
 * Makes the smallest reduction whose F1 over samples is little below that of the whole: a study of every method at several
 * sizes on several splits.
 * @param within what may be lost, 0…1
 * @throws EngineError `reduction` where no set costs so little; of the job, or `cancelled`
 */
export async function studyOfMany(
  session: Session,
  libraryId: string,
  request: Omit<Request, 'runs'>,
  within: number,
): Promise<{ study: Study; reduction: Reduction; recommendation: Recommendation }> {
  const { client, signal } = session;
  const { methods } = await client.call('reductions.choices', {});
  const runs = methods.flatMap(({ id, parameters }) =>
    parameters.some(({ name }) => name === 'p')
      ? searchedSizes.map((p) => ({ method: id, parameters: { p } }))
      : [{ method: id, parameters: {} }],
  );
  const { studyId } = await session.run('study', () =>
    client.call('reductions.study', { libraryId, request: { ...request, runs } }, { signal }),
  );
  const [classifier = 'lpknn'] = request.classifiers ?? [];
  const [k = 1] = request.k ?? [];
  const recommendation = await client.call('reductions.recommend', {
    ...{ libraryId, studyId, metric: 'f1Samples', classifier, k, noise: 0, allowed: within },
  });
  const study = (await client.call('reductions.studies', { libraryId })).find(({ id }) => id === studyId);
  const made = await client.call('reductions.list', { libraryId, studyId });
  const reduction = made.find(({ id }) => id === recommendation.chosen);
  if (study && reduction) return { study, reduction, recommendation };
  const useful = recommendation.sets.filter(({ lostLabels, labels }) => lostLabels.length < labels);
  const [failure] = study?.failures ?? [];
  if (useful.length === 0)
    throw new EngineError('reduction', failure?.message ?? 'No set keeps a label.', failure?.hint ?? '');
  const least = Math.min(...useful.map(({ chosenLoss }) => chosenLoss));
  throw new EngineError(
    'reduction',
    `No set loses at most ${within}; the best of ${useful.length} loses ${least.toFixed(4)}.`,
    'Allow a larger loss with --within, or keep the whole.',
  );
}
