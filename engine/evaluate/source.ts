import { basename, dirname, isAbsolute, resolve } from 'node:path';
import type { ParsedInput } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { CallContext } from '../wire/contract.ts';
import type { EngineContext } from '../context.ts';
import { readTextBounded } from '../files/read-text.ts';
import type { PlannedDataset } from './yaml-data-sets.ts';
import { readEvaluationFile } from './yaml.ts';

/** Of the file of an evaluation, which is written by hand. */
const MOST_BYTES = 4 * 2 ** 20;

/** Where the file of an evaluation is, or what it says. */
export type EvaluationSource = ParsedInput<'evaluations.read'>['file'];

export const nameOfFile = (file: EvaluationSource): string =>
  file.kind === 'file' ? basename(file.path) : file.name;

/**
 * What the file of an evaluation says.
 * @returns with the folder that it lies in, beside which it names others; null where it lies nowhere
 * @throws EngineError `not-found`
 */
export async function evaluationSource(
  file: EvaluationSource,
): Promise<{ content: string; folder: string | null }> {
  if (file.kind === 'text') return { content: file.content, folder: null };
  const { path } = file;
  const content = await readTextBounded(
    path,
    MOST_BYTES,
    (cause) => new EngineError('not-found', `${path} cannot be read.`, 'Name an evaluation file.', { cause }),
  );
  return { content, folder: dirname(path) };
}

/** What a data set names that lies in a file system, and as what. */
export function namedBy({
  type,
  dir,
  labels,
  index,
  reading,
  scenarios,
  testOn,
}: PlannedDataset): { named: string; type: string }[] {
  return [
    ...(type === 'library' ? [] : [{ named: dir, type }]),
    ...(testOn ? namedBy(testOn.dataset) : []),
    ...(reading?.labels?.kind === 'xml' ? [{ named: reading.labels.path, type: 'csv' }] : []),
    ...[labels, index].flatMap((named) => (named === null ? [] : [{ named, type: 'csv' }])),
    ...scenarios.flatMap(({ steps }) =>
      steps.flatMap(({ file }) => (file === null ? [] : [{ named: file, type: 'response' }])),
    ),
  ];
}

/**
 * Where everything is that an evaluation names, where its caller may name only some paths: a file that a window wrote must
 * lead it to no folder that nobody chose.
 * @returns null: anything may be read
 * @throws EngineError `not-permitted`, `missing-folder`, `not-found`, `bad-input`
 */
export async function allowedPlaces(
  context: EngineContext,
  asked: { file: EvaluationSource; places: Readonly<Record<string, string>> },
  mayName: CallContext['mayName'],
): Promise<string[] | null> {
  if (mayName === null) return null;
  const { content } = await evaluationSource(asked.file);
  const datasets = readEvaluationFile(content).experiments.flatMap((experiment) => experiment.datasets);
  const allowed = datasets.flatMap(namedBy).map(({ named, type }) => {
    const path = placeOf(context, asked, named, type);
    if (path !== context.options.demoFolder && !mayName(path)) throw notChosen(named);
    return path;
  });
  return [...new Set(allowed)];
}

export function notChosen(named: string): EngineError {
  return new EngineError(
    'not-permitted',
    `The evaluation names “${named}”, which nobody chose.`,
    'Open the evaluation’s file and choose it there, or open it once as a library.',
  );
}

/**
 * Where what a file names is: by the name in the file, else beside the file. A text that lies nowhere may come from whoever
 * took a window over: it reaches no folder that nobody chose.
 * @param type of the data set: a library is not a folder
 * @throws EngineError `missing-folder`
 */
export function placeOf(
  { options }: EngineContext,
  { file, places }: { file: EvaluationSource; places: Readonly<Record<string, string>> },
  named: string,
  type: string,
): string {
  const given = Object.hasOwn(places, named) ? places[named] : undefined;
  if (given !== undefined) return given;
  if (type === 'library') return named;
  if (named === 'demo') {
    if (options.demoFolder !== null) return options.demoFolder;
    throw new EngineError(
      'missing-folder',
      'The demo samples are not installed.',
      'Name a folder of sounds.',
    );
  }
  if (file.kind === 'text')
    throw new EngineError('missing-folder', `Nobody said where “${named}” is.`, 'Say where it is.');
  return isAbsolute(named) ? named : resolve(dirname(file.path), named);
}
