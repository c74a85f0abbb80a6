import type { ExportedRow, RowReader } from './rows.ts';

/** Version of the format that these files follow. */
const JAMS_VERSION = '0.3.4';

interface Observation {
  time: number;
  duration: number;
  value: unknown;
  confidence: number | null;
}

/** What annotations come from: the taxonomy's labels, an experiment's predictions, packs' embeddings. */
export interface JamsSources {
  version: string;
  taxonomy: string | null;
  experiment: string | null;
}

/**
 * One JAMS file per track: labels and predictions as `tag_open`, embeddings as `vector` (one observation for the track, or
 * one for each window).
 * @returns each track's id with its document
 */
export async function* jamsDocuments(
  reader: RowReader,
  sources: JamsSources,
): AsyncGenerator<{ trackId: string; content: string }> {
  let own: ExportedRow[] = [];
  for await (const rows of reader.batches())
    for (const row of rows) {
      const [first] = own;
      if (first && first.track.id !== row.track.id) {
        yield documentOf(own, reader, sources);
        own = [];
      }
      own.push(row);
    }
  if (own.length > 0) yield documentOf(own, reader, sources);
}

function documentOf(
  rows: readonly ExportedRow[],
  { plan }: RowReader,
  { version, taxonomy, experiment }: JamsSources,
): { trackId: string; content: string } {
  const [first] = rows;
  if (!first) throw new RangeError('a track without rows');
  const { track } = first;
  const duration = track.durationSeconds ?? 0;
  const annotation = (namespace: string, source: string, data: Observation[]): unknown => ({
    annotation_metadata: {
      curator: { name: '', email: '' },
      annotator: {},
      version: '',
      corpus: '',
      annotation_tools: `Archetone ${version}`,
      annotation_rules: '',
      validation: '',
      data_source: source,
    },
    namespace,
    data,
    sandbox: {},
    time: 0,
    duration,
  });
  const whole = (value: unknown, confidence: number | null): Observation => ({
    time: 0,
    duration,
    value,
    confidence,
  });
  const predicted = track.prediction;
  const annotations = [
    ...(taxonomy === null
      ? []
      : [
          annotation(
            'tag_open',
            taxonomy,
            track.labels.map((label) => whole(label, null)),
          ),
        ]),
    ...(experiment === null || predicted === null
      ? []
      : [
          annotation(
            'tag_open',
            experiment,
            predicted.labels?.map(({ label, probability }) => whole(label, probability)) ?? [
              whole(predicted.class, predicted.probability),
            ],
          ),
        ]),
    ...plan.spaces.flatMap(({ space }, s) => {
      const data = rows.flatMap(({ window, vectors }): Observation[] => {
        const vector = vectors[s];
        if (!vector) return [];
        const value = Array.from(vector);
        return window
          ? [{ time: window.startSeconds, duration: window.seconds, value, confidence: null }]
          : [whole(value, null)];
      });
      return data.length === 0 ? [] : [annotation('vector', space.packId, data)];
    }),
  ];
  const document = {
    annotations,
    file_metadata: {
      title: track.title,
      artist: track.artist ?? '',
      release: track.album ?? '',
      duration,
      identifiers: { path: track.path, content_hash: first.facts.contentHash ?? '' },
      jams_version: JAMS_VERSION,
    },
    sandbox: {},
  };
  return { trackId: track.id, content: `${JSON.stringify(document, null, 1)}\n` };
}
