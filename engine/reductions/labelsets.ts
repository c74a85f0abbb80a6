import { labelsetIds, takeRows } from '../../models/embeddings/labelled-vectors.ts';
import type { LabelsetShare } from '../api/studies.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { corpusRows } from './corpus/index.ts';
import { splitRows } from './study/splits.ts';

/**
 * Every labelset of the rows that were reduced, or of the reduced set, with the rows and the generated prototypes that bear
 * it: what a reduction kept, lost and made up. Most frequent first. Label noise exchanges whole labelsets, so it changes no
 * count.
 * @throws EngineError `not-found`, `too-few-labels`, `reduction`; DatasetError; the signal's reason
 */
export async function reductionLabelsets(
  context: EngineContext,
  library: Library,
  reductionId: string,
  signal?: AbortSignal,
): Promise<LabelsetShare[]> {
  const reduction = library.reductions.get(reductionId);
  const { labelsets: bits, clusterSizes } = library.reductions.setOf(reductionId);
  const corpus = await corpusRows(context, library, reduction.source, signal, reduction.space ?? undefined);
  const { split, seed } = library.studies.get(reduction.studyId).request;
  // The prototypes kept are those of the first split; its test rows no method has seen.
  const train =
    split.kind === 'file' || split.kind === 'none' ? undefined : splitRows(corpus, split, seed)[0]?.train;
  const training = train ? takeRows(corpus, train) : corpus;
  const shares = new Map<string, LabelsetShare>();
  const count = (
    labels: Uint8Array,
    rows: number,
    names: readonly string[],
    what: 'rows' | 'prototypes',
  ): void => {
    const L = names.length;
    const { ids, firstRow } = labelsetIds(labels, rows, L);
    const known = firstRow.map((row) => {
      const labelset = names.filter((_, label) => labels[row * L + label] === 1);
      const key = JSON.stringify(labelset);
      const share = shares.get(key) ?? { labelset, rows: 0, prototypes: 0 };
      shares.set(key, share);
      return share;
    });
    for (const id of ids) {
      const share = known[id];
      if (share) share[what] += 1;
    }
  };
  count(training.labels, training.count, corpus.labelNames, 'rows');
  count(bits, clusterSizes.length, reduction.labels, 'prototypes');
  return [...shares.values()].sort((a, b) => b.rows - a.rows || b.prototypes - a.prototypes);
}
