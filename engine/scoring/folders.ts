import { basename, resolve } from 'node:path';
import { scoreBetween, scoreWithin, type FolderVectors } from '../../models/benchmarks/folder-scores.ts';
import {
  describeCollection,
  embedCollection,
  labelledRows,
  type CutSound,
  type SoundName,
} from '../../models/benchmarks/embed.ts';
import { HandcraftedFeatures } from '../../models/benchmarks/handcrafted.ts';
import { selectTracks } from '../../models/embeddings/tracks.ts';
import type { PackRuntime } from '../../models/packs/index.ts';
import { counted } from '../../models/text/counted.ts';
import type { ParsedInput } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { FolderScoreEvent, FolderTable, ScoredFolder } from '../api/quality.ts';
import type { EngineContext } from '../context.ts';
import { labelledSounds, MOST_WINDOWS, SoundsHash } from './collections.ts';
import { noting } from './noting.ts';
import { withTwin } from './with-twin.ts';

type Request = ParsedInput<'packs.scoreFolders'>;
type Hooks = { signal: AbortSignal; note: (message: string) => void };
const KINDS = ['embedding', 'randomTwin', 'logMel', 'mfcc'] as const;
/** Windows that are embedded together: most one-shots have one. */
const TOGETHER = 8;
const NOTE_EVERY = 200;

/**
 * Scores a pack on any folders of kinds: each by itself, and between those that share classes.
 * @throws EngineError `pack`, `bad-input`, `missing-folder`, `too-few-labels`; the signal's reason
 */
export async function* scoreFolders(
  context: EngineContext,
  request: Request,
  signal: AbortSignal,
): AsyncGenerator<FolderScoreEvent, void> {
  const names = distinctNames(request.folders);
  const pack = await context.packs.ready(request.packId);
  yield* noting(signal, (hooks) =>
    withTwin(context, pack, request, async (runtime, twin) => {
      const read: { name: string; folder: ScoredFolder; vectors: FolderVectors }[] = [];
      for (const [i, path] of request.folders.entries()) {
        const name = names[i] ?? path;
        read.push({ name, ...(await readVectors(context, { runtime, twin, path, name }, hooks)) });
      }
      const options = { seed: request.seed, quick: request.quick, signal: hooks.signal };
      const rows: FolderTable['rows'] = [];
      for (const { name, vectors } of read) {
        hooks.note(`accuracy: ${name}`);
        rows.push(...(await scoreWithin(name, vectors, options)));
      }
      for (const from of read)
        for (const to of read) {
          if (from === to) continue;
          const between = await scoreBetween(from, to, options);
          if (between.length > 0) hooks.note(`accuracy: ${from.name} → ${to.name}`);
          rows.push(...between);
        }
      const { id, version } = pack.manifest;
      const table: FolderTable = {
        ...{ schema: 'archetone.folder-scores/1', pack: { id, version, sha256: pack.sha256 } },
        ...{ seed: request.seed, folders: read.map(({ folder }) => folder), rows },
      };
      return { table };
    }),
  );
}

/** A folder's sounds through everything that is compared, without keeping their samples. */
async function readVectors(
  { readers }: EngineContext,
  { runtime, twin, path, name }: { runtime: PackRuntime; twin: PackRuntime; path: string; name: string },
  { signal, note }: Hooks,
): Promise<{ folder: ScoredFolder; vectors: FolderVectors }> {
  note(`Reading ${path} …`);
  const features = await HandcraftedFeatures.open(runtime.pack.manifest.sampleRate);
  const hash = new SoundsHash();
  const sounds: SoundName[] = [];
  const counts: number[] = [];
  const leftOut: string[] = [];
  const parts: Record<(typeof KINDS)[number], Float32Array[]> = {
    ...{ embedding: [], randomTwin: [], logMel: [], mfcc: [] },
  };
  let waiting: CutSound[] = [];
  const flush = async (): Promise<void> => {
    const { logMel, mfcc } = await describeCollection(features, waiting, { signal });
    const embedding = await embedCollection(runtime, waiting, { signal });
    const randomTwin = await embedCollection(twin, waiting, { signal });
    const through = { embedding, randomTwin, logMel, mfcc };
    for (const kind of KINDS) parts[kind].push(through[kind].features);
    waiting = [];
  };
  try {
    const read = labelledSounds(path, 'classes', runtime.pack, {
      ...{ decode: readers, mostWindows: MOST_WINDOWS, signal },
    });
    for await (const entry of read) {
      if ('failed' in entry) {
        leftOut.push(entry.failed);
        note(`Left out: ${entry.failed}`);
        continue;
      }
      const { windows, ...rest } = entry.sound;
      // A file without a sample has nothing to say.
      if (windows.length === 0) continue;
      hash.add(entry.sound);
      sounds.push(rest);
      counts.push(windows.length);
      waiting.push(entry.sound);
      if (waiting.reduce((sum, sound) => sum + sound.windows.length, 0) >= TOGETHER) await flush();
      if (sounds.length % NOTE_EVERY === 0) note(`${name}: ${sounds.length} sounds`);
    }
    if (waiting.length > 0) await flush();
  } finally {
    await features.close();
  }
  const classes = new Map<string, number>();
  for (const sound of sounds) classes.set(sound.class, (classes.get(sound.class) ?? 0) + 1);
  const single = [...classes].filter(([, count]) => count === 1).map(([title]) => title);
  if (classes.size - single.length < 2)
    throw new EngineError(
      'too-few-labels',
      `${path} holds ${counted(sounds.length, 'readable sound')}, and ${counted(classes.size - single.length, 'class', 'classes')} with two sounds or more.`,
      'It should hold a folder per class or album, with several sounds in each.',
    );
  if (single.length > 0)
    note(`Left out, for nothing is like a class of one sound: ${single.sort().join(', ')}`);
  const of = (kind: (typeof KINDS)[number]) => {
    const total = parts[kind].reduce((sum, part) => sum + part.length, 0);
    const rows = counts.reduce((sum, count) => sum + count, 0);
    const all = new Float32Array(total);
    let at = 0;
    for (const part of parts[kind]) {
      all.set(part, at);
      at += part.length;
    }
    const set = labelledRows(sounds, counts, all, total / rows);
    return selectTracks(set, (track) => (classes.get(sounds[track]?.class ?? '') ?? 0) > 1);
  };
  const vectors = {
    ...{ embedding: of('embedding'), randomTwin: of('randomTwin'), logMel: of('logMel'), mfcc: of('mfcc') },
  };
  const folder: ScoredFolder = {
    ...{ name, sounds: vectors.embedding.tracks.ids.length, windows: vectors.embedding.count },
    ...{ classes: classes.size - single.length, sha256: hash.digest() },
    ...{ leftOut, singleSounds: single.sort() },
  };
  return { folder, vectors };
}

/** The folders' own names, or their paths where two are called the same. @throws EngineError `bad-input` for one named twice */
function distinctNames(folders: readonly string[]): string[] {
  const paths = folders.map((folder) => resolve(folder));
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined)
    throw new EngineError('bad-input', `${twice} is named twice.`, 'Name every folder once.');
  const names = paths.map((path) => basename(path));
  return names.map((name, i) =>
    names.indexOf(name) === names.lastIndexOf(name) ? name : (paths[i] ?? name),
  );
}
