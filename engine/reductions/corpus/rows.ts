import type { LabelledVectors, RowTracks } from '../../../models/embeddings/labelled-vectors.ts';
import type { CorpusSource, CorpusWarning } from '../../api/corpora.ts';
import type { SpaceInfo } from '../../api/spaces.ts';

/** Labelled vectors with what splits and people need to know about the rows. */
export interface LabelledRows extends LabelledVectors {
  source: CorpusSource;
  /** Of the vectors; null for a data set file. */
  space: SpaceInfo | null;
  /** The names of a data set file, without which a reduced set could not take its place; null for a library. */
  dataset: { relation: string; features: string[] } | null;
  /** Taxonomy or file name. */
  name: string;
  /** Of a library its tracks; each row of a data set is a track of its own, named by its id or number. */
  tracks: RowTracks;
  /** Whether a data set file gave each row its class; a library's labels are never told so. */
  classPerRow: boolean;
  /** Every row's first label by number, 0 where it has none: what hold-out splits keep in proportion. */
  firstLabel: number[];
  /** Library: rows left out for want of a label. Data set: rows with an empty labelset, which are kept. */
  unlabelled: number;
  /** Why generated prototypes make no sound; null when they do. */
  silent: string | null;
  warnings: CorpusWarning[];
}
