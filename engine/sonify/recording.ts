import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileToOpen } from '../../models/audio/index.ts';
import { cutWindows } from '../../models/audio/windows.ts';
import { cosine, squaredDistance } from '../../models/numerics/distances.ts';
import type { PackRuntime } from '../../models/packs/runtime.ts';
import type { Rows } from '../../models/neighbours/rows.ts';
import type { VectorRef } from '../api/neighbours.ts';
import type { SoundRecording } from '../api/sonify.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import type { LibraryVectors } from '../library/vectors.ts';
import { nearestTracksByWindow, windowRefs } from '../neighbours/nearest.ts';
import { type LocatedVector, tracksToStartFrom } from '../neighbours/vector-ref.ts';
import { asEngineError } from '../packs/failures.ts';

const FROM_NOISE = 'Or make this sound from noise, which needs no recording.';
/** A window that is what was embedded is heard as that again, whichever provider computed either. */
const SAME_WINDOW = 0.9;

/** A recording that a sound can start from. */
export interface StartRecording extends SoundRecording {
  /** SHA-256 of the file it was found in. */
  contentHash: string;
  /** What the library has as its embedding, `[D]`. */
  vector: Float32Array;
}

/** Finds the recordings that sounds start from: of every vector the nearest window it may be started from, exact. */
export class StartRecordings {
  readonly #library: Library;
  /** Rows by the tracks they may be of, which many prototypes of an experiment share. */
  readonly #rows = new Map<ReadonlySet<string>, number[]>();
  readonly #tracks = new Map<string, ReadonlySet<string> | null>();

  constructor(library: Library) {
    this.#library = library;
  }

  /** @throws EngineError `not-found` where no track of the library may be started from */
  async nearest(target: VectorRef, { vector, space }: LocatedVector): Promise<StartRecording> {
    const vectors = this.#library.embeddings.madeIn(space, 'This sound');
    const among = tracksToStartFrom(this.#library, target, this.#tracks);
    const row = among
      ? nearestRow(await vectors.rows('window'), vector, this.#rowsOf(vectors, among))
      : (await nearestTracksByWindow(vectors, vector, 1))[0]?.[0]?.row;
    const [found] = row === undefined ? [] : windowRefs(this.#library, vectors, [{ row, distance: 0 }]);
    if (row === undefined || !found) throw nothingToStartFrom(vectors);
    const { windows } = vectors;
    const { trackId, title, path, windowIndex, startSeconds } = found;
    return {
      ...{ trackId, title, path, windowIndex, startSeconds },
      contentHash: windows.contentHashes[windows.trackOf[row] ?? -1] ?? '',
      vector: (await vectors.rows('window')).one(row).slice(),
    };
  }

  #rowsOf({ windows }: LibraryVectors, among: ReadonlySet<string>): number[] {
    const known = this.#rows.get(among);
    if (known) return known;
    const rows = [...windows.trackOf.keys()].filter((row) =>
      among.has(windows.trackIds[windows.trackOf[row] ?? -1] ?? ''),
    );
    this.#rows.set(among, rows);
    return rows;
  }
}

function nearestRow(windows: Rows, vector: Float32Array, rows: readonly number[]): number | undefined {
  let [nearest, smallest]: [number | undefined, number] = [undefined, Infinity];
  for (const row of rows) {
    const distance = squaredDistance(vector, 0, windows.one(row), 0, windows.dim);
    if (distance < smallest) [nearest, smallest] = [row, distance];
  }
  return nearest;
}

function nothingToStartFrom({ windows }: LibraryVectors): EngineError {
  return windows.count === 0
    ? new EngineError(
        'not-found',
        'No track of the library is embedded, so there is no recording to start from.',
        `Import the library. ${FROM_NOISE}`,
      )
    : new EngineError(
        'not-found',
        'None of the recordings that this could start from is in the library any more.',
        `Put the files back and import the library. ${FROM_NOISE}`,
      );
}

/**
 * The frame features `[T, F]` of a recording's window, as its file is now.
 * @throws EngineError `pack` for a pack that has no features of recordings; `unreadable` when the file is gone, or is not
 * what was imported; `audio` when it cannot be decoded; the signal's reason
 */
export async function featuresOf(
  context: EngineContext,
  library: Library,
  runtime: PackRuntime,
  recording: StartRecording,
  { space, signal }: { space: SpaceInfo; signal: AbortSignal },
): Promise<Float32Array> {
  const { manifest } = runtime.pack;
  if (!manifest.graphs.features)
    throw new EngineError(
      'pack',
      `The pack “${manifest.title}” does not tell the features of a recording, so no sound can start from one.`,
      'Make this sound from noise.',
    );
  const path = library.absolutePath(recording.path);
  const samples = await windowOfFile(context, path, recording.windowIndex, manifest, signal);
  // Embeddings of deformed sounds are not those of the file as it is.
  const same =
    samples &&
    (space.deformation !== null || cosine(recording.vector, await runtime.embed(samples, 1)) >= SAME_WINDOW);
  if (!samples || !same)
    throw new EngineError(
      'unreadable',
      `${path}, which this sound would start from, is not what it was when it was imported.`,
      `Import the library again. ${FROM_NOISE}`,
    );
  return runtime.features(samples, 1);
}

/** Null when the file has no such window. */
async function windowOfFile(
  context: EngineContext,
  path: string,
  index: number,
  { sampleRate, windowSamples }: { sampleRate: number; windowSamples: number },
  signal: AbortSignal,
): Promise<Float32Array | null> {
  if (!existsSync(fileToOpen(path)))
    throw new EngineError(
      'unreadable',
      `${path}, which this sound would start from, is not there.`,
      `Connect its drive, or import the library again if the file moved or was deleted. ${FROM_NOISE}`,
    );
  try {
    const mono = context.readers.decode(path, { sampleRate, signal });
    for await (const window of cutWindows(mono, { windowSamples }))
      if (window.index === index) return window.samples;
    return null;
  } catch (thrown) {
    signal.throwIfAborted();
    const { code, message, hint } = asEngineError(thrown);
    throw new EngineError(
      code,
      `${basename(path)}, which this sound would start from, cannot be read: ${message}`,
      `${hint} ${FROM_NOISE}`.trim(),
      { cause: thrown },
    );
  }
}
