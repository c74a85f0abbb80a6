import type { CorpusSource } from '../../api/domain.ts';
import type { EngineContext, OpenLibrary } from '../../context.ts';
import { fileRows } from './file.ts';
import { libraryRows } from './library.ts';
import type { LabelledRows } from './rows.ts';

export { corpusFacts, fingerprintOf } from './facts.ts';
export { testRows } from './file.ts';
export { libraryRows } from './library.ts';
export type { LabelledRows } from './rows.ts';

/**
 * The labelled vectors a source stands for.
 * @throws EngineError `not-found`, `too-few-labels`; DatasetError; the signal's reason
 */
export async function corpusRows(
  context: EngineContext,
  library: OpenLibrary,
  source: CorpusSource,
  signal?: AbortSignal,
): Promise<LabelledRows> {
  return source.kind === 'library'
    ? libraryRows(context, library, source)
    : fileRows(source, context.options, signal);
}
