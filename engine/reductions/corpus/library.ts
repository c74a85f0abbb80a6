import type { CorpusSource } from '../../api/corpora.ts';
import type { SpaceInfo } from '../../api/spaces.ts';
import { EngineError } from '../../api/errors.ts';
import type { EngineContext } from '../../context.ts';
import type { Library } from '../../library/library.ts';
import { numberTracks } from '../../../models/embeddings/tracks.ts';
import { splitGroups } from '../../../models/evaluation/splits/groups.ts';
import type { LabelledRows } from './rows.ts';

type LibrarySource = Extract<CorpusSource, { kind: 'library' }>;

/**
 * The labelled tracks (or windows) of a library. Labels are sorted by name.
 * @throws EngineError `not-found`; `too-few-labels` when no ready track has a label
 */
export function libraryRows(
  context: EngineContext,
  library: Library,
  source: LibrarySource,
  space: SpaceInfo = library.space(),
): LabelledRows {
  const name = library.taxonomies.nameOf(source.taxonomyId);
  const vectors = library.embeddings.madeIn(space, 'This corpus');
  const { windows } = vectors;
  const { dim } = windows;
  const labelsets = library.labels.of(source.taxonomyId);
  const all =
    source.level === 'track'
      ? { vectors: vectors.tracks.vectors, trackOf: vectors.tracks.trackIds }
      : {
          vectors: windows.vectors,
          trackOf: Array.from(windows.trackOf, (track) => windows.trackIds[track] ?? ''),
        };
  const rows = all.trackOf.flatMap((id, row) => ((labelsets.get(id)?.length ?? 0) > 0 ? [row] : []));
  if (rows.length === 0)
    throw new EngineError(
      'too-few-labels',
      'No track that is ready has a label in this taxonomy.',
      'Import the library first, then choose another taxonomy or label tracks by hand.',
    );
  const tracks = numberTracks(
    rows.map((row) => all.trackOf[row] ?? ''),
    splitGroups(library.groupFacts(), 'track'),
  );
  const labelNames = [...new Set(tracks.ids.flatMap((id) => labelsets.get(id) ?? []))].sort();
  const numberOf = new Map(labelNames.map((label, index) => [label, index]));
  const features = new Float32Array(rows.length * dim);
  const labels = new Uint8Array(rows.length * labelNames.length);
  const firstLabel: number[] = [];
  rows.forEach((row, i) => {
    features.set(all.vectors.subarray(row * dim, (row + 1) * dim), i * dim);
    const numbers = (labelsets.get(all.trackOf[row] ?? '') ?? []).map((label) => numberOf.get(label) ?? 0);
    for (const label of numbers) labels[i * labelNames.length + label] = 1;
    firstLabel.push(numbers[0] ?? 0);
  });
  const pack = context.packs.list().find((known) => known.id === space.packId);
  return {
    ...{ source, name, features, count: rows.length, dim, labels, labelNames, tracks, firstLabel },
    ...{ space, dataset: null },
    unlabelled: all.trackOf.length - rows.length,
    classPerRow: false,
    silent:
      pack?.sampler === null
        ? `The pack ${pack.title} only embeds: its vectors cannot be turned back into sound.`
        : null,
    warnings: [],
  };
}
