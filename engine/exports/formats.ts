import { writeMeka, writeMulan } from '../../models/datasets/index.ts';
import { type ExportFormat, type ExportSourceKind, formatsOf } from '../api/exports.ts';
import type { Bundle } from '../bundles/bundle.ts';
import type { AudioStatement } from '../bundles/manifest.ts';
import {
  reducedArrays,
  reducedJson,
  reducedParquet,
  type ReducedSetFiles,
  type ReducedSetStatement,
} from '../bundles/reduced.ts';
import type { JobHandle } from '../jobs/queue.ts';

type Content = string | Iterable<string>;

/** What is exported, as the formats see it. What a kind has not is never asked for. */
export interface ExportSource {
  kind: ExportSourceKind;
  /** Without the sounds, which are the bundle's. */
  files: Omit<ReducedSetFiles, 'audio'>;
  /** Where in the bundle the sound of each prototype goes. */
  soundFiles: readonly string[];
  /** Adds the sounds; null where the pack makes none. */
  addSounds(bundle: Bundle): Promise<AudioStatement>;
  /** @param sounds paths of the sounds that are in the bundle */
  tables(sounds: readonly string[]): Record<string, Content>;
  /** Default: {@link reducedArrays}. */
  arrays?(): Uint8Array;
  classifier(signal: AbortSignal): Promise<{
    graph: Uint8Array;
    statement?: Omit<NonNullable<ReducedSetStatement['classifier']>, 'file'>;
  }>;
  /** Names of playlists with their content. */
  playlists(): Promise<[name: string, content: string][]>;
}

/** What the manifest says about the files. */
export interface ExportStatement {
  audio: AudioStatement;
  details: ReducedSetStatement;
}

interface Export {
  source: ExportSource;
  bundle: Bundle;
  statement: ExportStatement;
  signal: AbortSignal;
}

/**
 * What writes the formats of prototypes, in this order: tables name the sounds that are there. Those of tracks alone are
 * written by `tracks/export.ts`.
 */
const writers: Readonly<Partial<Record<ExportFormat, (about: Export) => Promise<void>>>> = {
  wav: async ({ source, bundle, statement }) => {
    statement.audio = await source.addSounds(bundle);
  },
  csv: async ({ source, bundle, statement, signal }) => {
    const tables = source.tables(statement.audio === null ? [] : source.soundFiles);
    for (const [file, content] of Object.entries(tables)) await bundle.add(file, content, signal);
  },
  npz: async ({ source, bundle }) => {
    const { files } = source;
    await bundle.add('prototypes.npz', source.arrays?.() ?? reducedArrays({ ...files, audio: null }));
  },
  mulan: async ({ source, bundle, signal }) => {
    const { arff, xml } = writeMulan(source.files.set);
    await bundle.add('prototypes.arff', arff, signal);
    await bundle.add('prototypes.xml', xml);
  },
  meka: ({ source, bundle, signal }) =>
    bundle.add('prototypes-meka.arff', writeMeka(source.files.set), signal),
  json: (about) => about.bundle.add('prototypes.json', reducedJson(withSounds(about)), about.signal),
  parquet: async (about) => {
    const { content, map } = await reducedParquet(withSounds(about), about.signal);
    await about.bundle.add('prototypes.parquet', content);
    about.statement.details.map = map;
  },
  onnx: async ({ source, bundle, statement, signal }) => {
    const file = 'classifier.onnx';
    const { graph, statement: said } = await source.classifier(signal);
    await bundle.add(file, graph);
    if (said) statement.details.classifier = { file, ...said };
  },
  m3u8: async ({ source, bundle }) => {
    for (const [name, content] of await source.playlists())
      await bundle.add(`playlists/${name}.m3u8`, content);
  },
};

function withSounds({ source, statement }: Export): ReducedSetFiles {
  return { ...source.files, audio: statement.audio === null ? null : source.soundFiles };
}

/**
 * Adds a source in every format asked for that it can be written in.
 * @throws what the writers throw; the signal's reason
 */
export async function writeFormats(
  source: ExportSource,
  formats: readonly ExportFormat[],
  bundle: Bundle,
  job: JobHandle,
): Promise<ExportStatement> {
  const statement: ExportStatement = { audio: null, details: {} };
  const possible = formatsOf(source.kind);
  for (const [format, write] of Object.entries(writers)) {
    const isWanted = (known: ExportFormat): boolean => known === format;
    if (!formats.some(isWanted) || !possible.some(isWanted)) continue;
    await job.checkpoint();
    await write({ source, bundle, statement, signal: job.signal });
  }
  await job.checkpoint();
  return statement;
}
