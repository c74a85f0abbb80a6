import { readDataset, type ReadFileOptions } from '../../engine/datasets/read.ts';
import { threadsHere, type AskThread } from '../../engine/threads/ask.ts';
import type { Dataset } from '../../models/datasets/index.ts';
import { bundled } from './bundles.ts';

/** The worker that decodes audio. */
export const decodeWorker = (): Promise<string> => bundled('engine/decode/worker.ts');

/** The worker that reads data sets. */
export const datasetWorker = (): Promise<string> => bundled('engine/datasets/dataset-worker.ts');

/** The worker that reads label files. */
export const labelWorker = (): Promise<string> => bundled('engine/taxonomies/label-worker.ts');

/** Threads of this process, for whatever asks them. */
export async function askThreads(): Promise<AskThread> {
  return threadsHere({ dataset: await datasetWorker(), label: await labelWorker() });
}

/** Reads a data set of any format. */
export async function readAnyDataset(
  path: string,
  options: Omit<ReadFileOptions, 'ask'> = {},
): Promise<Dataset> {
  return readDataset(path, { ask: await askThreads(), ...options });
}
