import type { CorpusSource } from '../../api/corpora.ts';
import type { SpaceInfo } from '../../api/spaces.ts';
import type { EngineContext } from '../../context.ts';
import type { Library } from '../../library/library.ts';
import { fileRows } from './file.ts';
import { libraryRows } from './library.ts';
import type { LabelledRows } from './rows.ts';

export { corpusFacts, fingerprintOf } from './facts.ts';
export { hashOfDataset, testRows } from './file.ts';
export { libraryRows } from './library.ts';
export type { LabelledRows } from './rows.ts';

/**
 * The labelled vectors a source stands for.
 * @param space of a library's vectors; the current one unless given
 * @throws EngineError `not-found`, `too-few-labels`, `other-space`; DatasetError; the signal's reason
 */
export async function corpusRows(
  context: EngineContext,
  library: Library,
  source: CorpusSource,
  signal?: AbortSignal,
  space: SpaceInfo = library.space(),
): Promise<LabelledRows> {
  return source.kind === 'library'
    ? libraryRows(context, library, source, space, signal)
    : fileRows(source, context, signal);
}
