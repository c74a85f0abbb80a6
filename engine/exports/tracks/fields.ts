import type { ExportedRow } from './rows.ts';

/** What a field holds; `texts` are lists. */
interface Values {
  text: string | null;
  integer: number | null;
  number: number | null;
  flag: boolean | null;
  texts: readonly string[];
}

export type FieldType = keyof Values;

/** A column of every table. */
export type Field = {
  [T in FieldType]: { name: string; type: T; of: (row: ExportedRow) => Values[T] };
}[FieldType];

/** What an export asks for, as far as it decides on the columns. */
interface Asked {
  level: 'track' | 'window';
  taxonomyId: string | null;
  experimentId: string | null;
}

const always: readonly Field[] = [
  { name: 'path', type: 'text', of: ({ track }) => track.path },
  { name: 'title', type: 'text', of: ({ track }) => track.title },
  { name: 'artist', type: 'text', of: ({ track }) => track.artist },
  { name: 'album', type: 'text', of: ({ track }) => track.album },
  { name: 'genre', type: 'texts', of: ({ track }) => track.genre },
  { name: 'duration_seconds', type: 'number', of: ({ track }) => track.durationSeconds },
];

const ofTaxonomy: readonly Field[] = [{ name: 'labels', type: 'texts', of: ({ track }) => track.labels }];

const ofExperiment: readonly Field[] = [
  { name: 'prediction', type: 'text', of: ({ track }) => track.prediction?.class ?? null },
  { name: 'probability', type: 'number', of: ({ track }) => track.prediction?.probability ?? null },
  {
    name: 'predicted_labels',
    type: 'texts',
    of: ({ track }) => track.prediction?.labels?.map(({ label }) => label) ?? [],
  },
  { name: 'correct', type: 'flag', of: ({ track }) => track.prediction?.correct ?? null },
  { name: 'split', type: 'text', of: ({ track }) => track.prediction?.split ?? null },
];

const ofFiles: readonly Field[] = [
  { name: 'year', type: 'integer', of: ({ track }) => track.year },
  { name: 'format', type: 'text', of: ({ track }) => track.format },
  { name: 'sample_rate', type: 'integer', of: ({ facts }) => facts.sampleRate },
  { name: 'channels', type: 'integer', of: ({ facts }) => facts.channels },
  { name: 'bpm', type: 'number', of: ({ facts }) => facts.bpm },
  { name: 'key', type: 'text', of: ({ facts }) => facts.musicalKey },
  { name: 'content_hash', type: 'text', of: ({ facts }) => facts.contentHash },
  { name: 'left_out', type: 'flag', of: ({ track }) => track.leftOut },
  { name: 'notes', type: 'text', of: ({ track }) => track.notes },
];

const ofWindows: readonly Field[] = [
  { name: 'window_index', type: 'integer', of: ({ window }) => window?.index ?? null },
  { name: 'start_seconds', type: 'number', of: ({ window }) => window?.startSeconds ?? null },
  { name: 'window_seconds', type: 'number', of: ({ window }) => window?.seconds ?? null },
];

const ofWindowsOfExperiment: readonly Field[] = [
  { name: 'window_prediction', type: 'text', of: ({ window }) => window?.prediction?.class ?? null },
  { name: 'window_probability', type: 'number', of: ({ window }) => window?.prediction?.probability ?? null },
];

/** The columns before map, neighbours and embeddings, in their order. */
export function fieldsOf({ level, taxonomyId, experimentId }: Asked): Field[] {
  const windows = level === 'window';
  const experiment = experimentId !== null;
  return [
    ...always,
    ...(taxonomyId === null ? [] : ofTaxonomy),
    ...(experiment ? ofExperiment : []),
    ...ofFiles,
    ...(windows ? ofWindows : []),
    ...(windows && experiment ? ofWindowsOfExperiment : []),
  ];
}
