import type { EngineClient, Input } from '../../engine/api/contract.ts';
import type { Reduction } from '../../engine/api/reductions.ts';
import type { Study } from '../../engine/api/studies.ts';
import { finished } from './engine.ts';

type Request = Input<'reductions.study'>['request'];

/** Makes a study of one run and waits for it. */
export async function reduced(
  client: EngineClient,
  libraryId: string,
  { run, ...request }: Omit<Request, 'runs'> & { run: Request['runs'][number] },
): Promise<{ study: Study; reduction: Reduction }> {
  const { studyId, jobId } = await client.call('reductions.study', {
    libraryId,
    request: { ...request, runs: [run] },
  });
  await finished(client, jobId, 'study');
  const studies = await client.call('reductions.studies', { libraryId });
  const study = studies.find(({ id }) => id === studyId);
  const [reduction] = await client.call('reductions.list', { libraryId, studyId });
  if (!study || !reduction) throw new Error(`no reduction was made: ${JSON.stringify(study?.failures)}`);
  return { study, reduction };
}
