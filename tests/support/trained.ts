import type { Experiment } from '../../engine/api/experiments.ts';
import type { JobResult } from '../../engine/api/jobs.ts';
import type { EngineClient, Input } from '../../engine/api/contract.ts';
import { finished, importFolder, startTestEngine, type TestEngine } from './engine.ts';
import { writeMusic } from './music.ts';

/** A library of three timbres, imported, with a taxonomy of its folders and a trained experiment. */
export interface TrainedLibrary {
  test: TestEngine;
  folder: string;
  libraryId: string;
  taxonomyId: string;
  experiment: Experiment;
}

export async function trainedLibrary(
  options: { perClass?: number; on?: TestEngine } = {},
): Promise<TrainedLibrary> {
  const test = options.on ?? (await startTestEngine());
  const folder = writeMusic({ perClass: options.perClass ?? 8 });
  const { library } = await importFolder(test.client, folder);
  const { id: taxonomyId } = await test.client.call('taxonomies.create', {
    libraryId: library.id,
    source: { kind: 'folders' },
  });
  const experiment = await trainOn(test.client, library.id, { taxonomyId });
  return { test, folder, libraryId: library.id, taxonomyId, experiment };
}

/** Trains a small network: two prototypes per class, 60 steps. */
export async function trainOn(
  client: EngineClient,
  libraryId: string,
  request: Partial<Input<'experiments.train'>['request']> & { taxonomyId: string },
): Promise<Experiment> {
  const { jobId } = await client.call('experiments.train', {
    libraryId,
    request: { steps: 60, prototypesPerClass: 2, minimumTracks: 3, ...request },
  });
  const { experimentId } = await finished(client, jobId, 'train');
  return client.call('experiments.get', { libraryId, experimentId });
}

/** Exports an experiment and waits for it. */
export async function exported(
  client: EngineClient,
  libraryId: string,
  input: Omit<Input<'exports.start'>, 'libraryId'>,
): Promise<Extract<JobResult, { kind: 'export' }>['export']> {
  const { jobId } = await client.call('exports.start', { libraryId, ...input });
  return (await finished(client, jobId, 'export')).export;
}
