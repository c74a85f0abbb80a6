import { extname } from 'node:path';
import type { ExportFormat } from '../../api/exports.ts';
import { formatsOf } from '../../api/exports.ts';
import { EngineError } from '../../api/errors.ts';
import type { Bundle } from '../../bundles/bundle.ts';
import { distinctFileNames } from '../../bundles/names.ts';
import { classifyLibrary } from '../../classify/library.ts';
import type { EngineContext } from '../../context.ts';
import type { JobHandle } from '../../jobs/queue.ts';
import type { Library } from '../../library/library.ts';
import type { ExportRequest } from '../experiment-files.ts';
import { playlistTracks, writePlaylist, type PlaylistTrack } from '../playlists.ts';
import { fieldsOf, type Field } from './fields.ts';
import { jamsDocuments } from './jams.ts';
import { audioFolderPieces, csvPieces, jsonPieces } from './lines.ts';
import { trackNpz } from './npz.ts';
import { trackParquet } from './parquet.ts';
import { planTable, type TablePlan } from './plan.ts';
import { rekordboxPieces } from './rekordbox.ts';
import { RowReader } from './rows.ts';
import { writeTrackManifest } from './statement.ts';
import type { TrackSubject } from './subject.ts';

/** What the formats see. */
interface TrackExport {
  context: EngineContext;
  library: Library;
  subject: TrackSubject;
  bundle: Bundle;
  job: JobHandle;
  raw: boolean;
  reader: RowReader;
  /** Rows of tracks alone, whatever the tables hold: for what is said of a file as a whole. */
  tracks: RowReader;
  fields: readonly Field[];
  listed: readonly PlaylistTrack[];
  /** Names of the tracks' files without extension, each its own. */
  names: ReadonlyMap<string, string>;
}

/** What writes each format of tracks, in this order. */
const writers: Readonly<Partial<Record<ExportFormat, (about: TrackExport) => Promise<void>>>> = {
  m3u8: ({ bundle, library, listed }) =>
    bundle.add('tracks.m3u8', writePlaylist(library.summary().name, listed)),
  csv: ({ bundle, reader, fields, raw, job }) =>
    bundle.pour('tracks.csv', csvPieces(reader, fields, raw), job.signal),
  jsonl: ({ bundle, reader, fields, job }) =>
    bundle.pour('tracks.jsonl', jsonPieces(reader, fields), job.signal),
  parquet: ({ bundle, reader, fields, job }) =>
    bundle.pour('tracks.parquet', trackParquet(reader, fields), job.signal),
  npz: ({ bundle, reader, fields, library, subject, job }) => {
    const { taxonomyId } = subject;
    const names = taxonomyId === null ? null : library.labels.counts(taxonomyId).map(({ value }) => value);
    return bundle.pour('tracks.npz', trackNpz(reader, fields, names?.sort() ?? null), job.signal);
  },
  audiofolder: (about) => {
    const { bundle, tracks, subject, job } = about;
    const fields = fieldsOf({ ...subject, level: 'track' });
    // Copies lie beside the metadata; without them it goes into the folder of the music.
    return subject.copyFiles
      ? bundle.pour(
          'files/metadata.jsonl',
          audioFolderPieces(tracks, fields, (id, path) => copyOf(about, id, path)),
          job.signal,
        )
      : bundle.pour(
          'metadata.jsonl',
          audioFolderPieces(tracks, fields, (_id, path) => path),
          job.signal,
        );
  },
  jams: async ({ bundle, reader, library, subject, context, names }) => {
    const { taxonomyId, experimentId } = subject;
    const sources = {
      version: context.options.version,
      taxonomy: taxonomyId === null ? null : library.taxonomies.get(taxonomyId).name,
      experiment: experimentId === null ? null : library.experiments.get(experimentId).name,
    };
    for await (const { trackId, content } of jamsDocuments(reader, sources))
      await bundle.add(`jams/${names.get(trackId) ?? trackId}.jams`, content);
  },
  rekordbox: async ({ bundle, library, subject, context, tracks, job }) => {
    const lists = { labels: new Map<string, number[]>(), predictions: new Map<string, number[]>() };
    let number = 0;
    const into = (map: Map<string, number[]>, name: string): void => {
      const own = map.get(name);
      if (own) own.push(number);
      else map.set(name, [number]);
    };
    async function* noted(): ReturnType<RowReader['batches']> {
      for await (const rows of tracks.batches({ vectors: false })) {
        for (const { track } of rows) {
          number += 1;
          for (const label of track.labels) into(lists.labels, label);
          for (const label of track.prediction?.labels ??
            (track.prediction ? [{ label: track.prediction.class }] : []))
            into(lists.predictions, label.label);
        }
        yield rows;
      }
    }
    const sorted = (map: Map<string, number[]>) =>
      [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, own]) => ({ name, tracks: own }));
    const { name } = library.summary();
    await bundle.pour(
      'rekordbox.xml',
      rekordboxPieces({
        version: context.options.version,
        count: tracks.plan.count,
        batches: noted(),
        absolutePath: (path) => library.absolutePath(path),
        playlists: () => [
          { name: 'Archetone', lists: [{ name, tracks: Array.from({ length: number }, (_, i) => i + 1) }] },
          { name: 'Labels', lists: subject.taxonomyId === null ? [] : sorted(lists.labels) },
          { name: 'Predictions', lists: sorted(lists.predictions) },
        ],
      }),
      job.signal,
    );
  },
};

function copyOf({ names }: TrackExport, id: string, path: string): string {
  return `${names.get(id) ?? id}${extname(path)}`;
}

/**
 * Fills a bundle with tracks: tables and arrays of what is known of them, annotations, playlists, copies of their files.
 * @throws EngineError `not-found` where a track is gone; `unreadable` for a file that cannot be copied; what
 * {@link planTable} throws; the signal's reason
 */
export async function exportTracks(
  context: EngineContext,
  library: Library,
  subject: TrackSubject,
  { formats, raw, seed }: Pick<ExportRequest, 'formats' | 'raw' | 'seed'>,
  bundle: Bundle,
  job: JobHandle,
): Promise<void> {
  const possible = formatsOf('tracks').filter((format) => formats.includes(format));
  if (possible.length === 0 && !subject.copyFiles)
    throw new EngineError(
      'bad-input',
      `Tracks cannot be written as ${formats.join(', ')}.`,
      `Formats of tracks: ${formatsOf('tracks').join(', ')}.`,
    );
  await knownPredictions(library, subject, job);
  const plan = await planTable(library, subject, seed, job);
  const about = exportOf(context, library, subject, plan, bundle, job, raw);
  for (const [format, write] of Object.entries(writers)) {
    if (!possible.some((known) => known === format)) continue;
    await job.checkpoint();
    await write(about);
  }
  if (subject.copyFiles) await copyFiles(about);
  await job.checkpoint();
  await writeTrackManifest(context, library, bundle, { subject, plan, seed });
}

/** The cache of predictions may have been deleted. */
async function knownPredictions(
  library: Library,
  { experimentId }: TrackSubject,
  job: JobHandle,
): Promise<void> {
  if (experimentId === null) return;
  const experiment = library.experiments.get(experimentId);
  if (library.predictions.list({ ...experiment, thresholds: null }).length > 0) return;
  await classifyLibrary(library, experimentId, { signal: job.signal });
}

function exportOf(
  context: EngineContext,
  library: Library,
  subject: TrackSubject,
  plan: TablePlan,
  bundle: Bundle,
  job: JobHandle,
  raw: boolean,
): TrackExport {
  const known = playlistTracks(library);
  const listed = plan.trackIds.map((id) => {
    const track = known.get(id);
    if (!track) throw new EngineError('not-found', `There is no track ${id} in this library.`);
    return track;
  });
  const names = distinctFileNames(listed.map(({ path }) => baseName(path)));
  const ofTracks: TablePlan =
    plan.level === 'track'
      ? plan
      : {
          ...{ level: 'track', trackIds: plan.trackIds, counts: plan.trackIds.map(() => 1) },
          ...{ count: plan.trackIds.length, spaces: [], map: null, neighbours: null },
        };
  return {
    ...{ context, library, subject, bundle, job, raw, listed },
    reader: new RowReader(library, plan, subject, job),
    tracks: new RowReader(library, ofTracks, subject, job),
    fields: fieldsOf(subject),
    names: new Map(plan.trackIds.map((id, i) => [id, names[i] ?? id])),
  };
}

async function copyFiles(about: TrackExport): Promise<void> {
  const { bundle, job, listed, reader } = about;
  for (const [i, { path }] of listed.entries()) {
    await job.checkpoint();
    job.report({ done: i, total: listed.length, unit: 'files', current: path });
    await bundle.copy(`files/${copyOf(about, reader.plan.trackIds[i] ?? '', path)}`, path, job.signal);
  }
}

/** Name of a file without folder and extension. */
function baseName(path: string): string {
  const name = path.replace(/^.*[/\\]/, '');
  return name.slice(0, name.length - extname(name).length);
}
