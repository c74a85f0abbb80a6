import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import { rmsDbfs } from '../../models/audio/level.ts';
import type { PackRuntime } from '../../models/packs/runtime.ts';
import { sonifyBest, type CheckedSonification } from '../../models/pecmae/candidates.ts';
import { stepsTaken } from '../../models/pecmae/sonify.ts';
import { EngineError } from '../api/errors.ts';
import type { JobLane } from '../api/jobs.ts';
import type { VectorRef } from '../api/neighbours.ts';
import type { Sonification, SoundOrigin } from '../api/sonify.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { EngineContext } from '../context.ts';
import { writeWhole } from '../files/write-whole.ts';
import type { Library } from '../library/library.ts';
import { sonificationId, vectorHash, type SonificationKey } from '../library/sonifications.ts';
import type { LocatedVector } from '../neighbours/vector-ref.ts';
import { packOfSpace } from '../packs/of-space.ts';
import { audibleGainDb } from './measures.ts';
import { featuresOf, StartRecordings, type StartRecording } from './recording.ts';

/** How sounds are made; steps and guidance default to the pack's. */
export interface SoundSettings {
  seed: number;
  steps?: number | undefined;
  guidance?: number | undefined;
  from: SoundOrigin;
}

/** A sound that is there or can be made. */
export interface PlannedSound {
  id: string;
  key: SonificationKey;
  vector: Float32Array;
  space: SpaceInfo;
  start: StartRecording | null;
}

type SoundFacts = Pick<Sonification, 'durationSeconds' | 'rmsDbfs' | 'gainDb' | 'cycleCosine'>;

/** A pack without a sampler fails at its first graph. */
const NO_SAMPLER = { method: 'ddim', steps: 1, guidance: 0, candidates: 1, accept: 1 } as const;

/** Makes the sounds of vectors of one encoder in one way, each once. */
export class SoundMaker {
  /** Runs of the denoiser for a sound, at most: a candidate that is good enough ends the draw. */
  readonly stepsEach: number;
  readonly #context: EngineContext;
  readonly #library: Library;
  readonly #runtime: PackRuntime;
  readonly #settings: SoundSettings & { steps: number; guidance: number };
  readonly #recordings: StartRecordings;

  private constructor(
    context: EngineContext,
    library: Library,
    runtime: PackRuntime,
    settings: SoundSettings,
  ) {
    this.#context = context;
    this.#library = library;
    this.#runtime = runtime;
    const { steps, guidance, candidates, method } = this.#sampler;
    this.#settings = {
      ...settings,
      steps: settings.steps ?? steps,
      guidance: settings.guidance ?? guidance,
    };
    const { from } = settings;
    this.stepsEach =
      candidates * stepsTaken(this.#settings.steps, method, from.origin === 'recording' ? from : undefined);
    this.#recordings = new StartRecordings(library);
  }

  /**
   * @param space of the vectors: the pack that made them can also make them sound, whichever windows were embedded
   * @throws EngineError `pack` for one that only makes embeddings or is not there; `other-space` for another version of it
   */
  static async open(
    context: EngineContext,
    library: Library,
    { space, lane, settings }: { space: SpaceInfo; lane: JobLane; settings: SoundSettings },
  ): Promise<SoundMaker> {
    const { manifest } = packOfSpace(context, space, 'this vector was made with');
    if (manifest.kind !== 'generative')
      throw new EngineError(
        'pack',
        `The pack “${manifest.title}” only makes embeddings; it cannot make sound.`,
        'Open the library with a generative pack, such as the compact pack, to hear prototypes.',
      );
    return new SoundMaker(context, library, await context.packs.runtime(manifest.id, lane), settings);
  }

  get #sampler() {
    return this.#runtime.pack.manifest.sampler ?? NO_SAMPLER;
  }

  /** @throws EngineError `not-found` where there is no recording to start from */
  async plan(target: VectorRef, located: LocatedVector): Promise<PlannedSound> {
    const { seed, steps, guidance, from } = this.#settings;
    const start = from.origin === 'recording' ? await this.#recordings.nearest(target, located) : null;
    const key = {
      packSha256: this.#runtime.pack.sha256,
      vectorSha256: vectorHash(located.vector),
      ...{ seed, steps, guidance },
      recording: start && from.origin === 'recording' ? { ...start, share: from.share } : null,
    };
    return { id: sonificationId(key), key, ...located, start };
  }

  /** The sound, where it was made before. */
  find({ id }: PlannedSound): Sonification | null {
    return this.#library.sonifications.find(this.#context.media, id);
  }

  /**
   * Makes a sound, and keeps it.
   * @param on `step`: runs of the denoiser that are done; `first`: given the first draw while better ones are drawn
   * @throws EngineError `disk-full`; as {@link featuresOf} where a recording is to be started from; the signal's reason
   */
  async make(
    sound: PlannedSound,
    signal: AbortSignal,
    on: { step?: (step: number) => void; first?: (sound: CheckedSonification) => void } = {},
  ): Promise<Sonification> {
    const { id, key, vector, space, start } = sound;
    const { seed, steps, guidance } = key;
    const { candidates, accept } = this.#sampler;
    const features =
      start && (await featuresOf(this.#context, this.#library, this.#runtime, start, { space, signal }));
    const made = await sonifyBest(this.#runtime, vector, {
      ...{ seed, steps, guidance, candidates, accept, signal },
      from: features && key.recording ? { features, share: key.recording.share } : undefined,
      ...(on.step && { onStep: on.step }),
      ...(on.first && { onFirst: on.first }),
    });
    // Nothing is written for whoever let go of it: the library's own folder may be gone by then.
    signal.throwIfAborted();
    const { sonifications } = this.#library;
    sonifications.insert(id, key, await writeSound(sonifications.path(id), made));
    const kept = this.find(sound);
    if (!kept) throw new EngineError('internal', 'The sound that was just written is gone.');
    return kept;
  }
}

/** Writes a sound as a WAV file, raised where it is too quiet. */
export async function writeSound(
  path: string,
  { samples, sampleRate, cycleCosine }: CheckedSonification,
): Promise<SoundFacts> {
  const gainDb = audibleGainDb(samples);
  const raised = samples.map((sample) => sample * 10 ** (gainDb / 20));
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, encodeWav(raised, sampleRate, 'pcm16'));
  return { durationSeconds: samples.length / sampleRate, rmsDbfs: rmsDbfs(raised), gainDb, cycleCosine };
}
