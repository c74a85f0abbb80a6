import type { Input } from '../engine/api/contract.ts';
import type { Reduction } from '../engine/api/reductions.ts';
import type { Study } from '../engine/api/studies.ts';
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
