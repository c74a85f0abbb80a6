import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DeformationMeasure, DeformationTools } from '../../models/deformations/deformation.ts';
import type { Scenario } from '../../models/deformations/scenario.ts';
import { spaceKey } from '../../models/embeddings/space.ts';
import type { EngineContext } from '../context.ts';
import { writeWhole } from '../files/write-whole.ts';
import { deformedFile, embedAudio, resampled, wholeFile, type Listener } from '../import/embed-deformed.ts';
import { thereAndBack } from '../scoring/compress.ts';
import type { TaskItem } from './tasks.ts';

export type { Listener } from '../import/embed-deformed.ts';

/** Vectors of a track in one space: `[windows, D]`. */
export type Vectors = Float32Array;

/** Which vectors of a track. */
export interface Wanted {
  windows: 'all' | number;
  scenario: Scenario | null;
  signal: AbortSignal;
}

/** Gives a track taken through a scenario. */
type Deformed = (scenario: Scenario) => Promise<Float32Array>;

/** The vectors of tracks, made once for a space (which a deformation is part of) and kept by the content of the file. */
export class VectorStore {
  readonly #context: EngineContext;
  readonly #folder: string;

  /** @param folder kept between runs; may be deleted at any time */
  constructor(context: EngineContext, folder: string) {
    this.#context = context;
    this.#folder = folder;
  }

  /**
   * Those of one track in several spaces: it is deformed once for all of them, which costs more than hand-made spaces do.
   * @returns whether any was missing
   * @throws AudioError, PackError, ScenarioError; the signal's reason
   */
  async make(item: TaskItem, runtimes: readonly Listener[], wanted: Wanted): Promise<boolean> {
    let once: Promise<Float32Array> | null = null;
    const deformed: Deformed = (scenario) => (once ??= this.#deformed(item, scenario, wanted.signal));
    const missing = runtimes.filter((runtime) => !this.has(item, runtime, wanted));
    for (const runtime of missing) await this.#make(item, runtime, wanted, deformed);
    return missing.length > 0;
  }

  has(item: TaskItem, runtime: Listener, wanted: Omit<Wanted, 'signal'>): boolean {
    return existsSync(this.path(item, runtime, wanted));
  }

  /** Read, or made. @throws AudioError, PackError, ScenarioError; the signal's reason */
  async of(item: TaskItem, runtime: Listener, wanted: Wanted): Promise<Vectors> {
    if (!this.has(item, runtime, wanted))
      return this.#make(item, runtime, wanted, (scenario) => this.#deformed(item, scenario, wanted.signal));
    const bytes = await readFile(this.path(item, runtime, wanted));
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  }

  /** Where they lie, or will. */
  path(
    { sha256 }: Pick<TaskItem, 'sha256'>,
    { pack }: Pick<Listener, 'pack'>,
    { windows, scenario }: Omit<Wanted, 'signal'>,
  ): string {
    const space = { encoderSha256: pack.encoderSha256, windows, deformation: scenario?.key ?? null };
    // Another version may deform in another way.
    const by = scenario === null ? 'clean' : this.#context.options.version;
    return join(this.#folder, by, spaceKey(space), `${sha256}.f32`);
  }

  /** The audio of a track as a pack hears it. */
  audio(item: TaskItem, runtime: Listener, { scenario, signal }: Wanted): AsyncIterable<Float32Array> {
    return this.#audio(item, runtime, { scenario, signal }, (wanted) => this.#deformed(item, wanted, signal));
  }

  async #make(item: TaskItem, runtime: Listener, wanted: Wanted, deformed: Deformed): Promise<Vectors> {
    const audio = this.#audio(item, runtime, wanted, deformed);
    const { vectors } = await embedAudio(runtime, audio, wanted.windows, wanted.signal);
    const path = this.path(item, runtime, wanted);
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(path, new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength));
    return vectors;
  }

  #audio(
    item: TaskItem,
    runtime: Listener,
    { scenario, signal }: Pick<Wanted, 'scenario' | 'signal'>,
    deformed: Deformed,
  ): AsyncIterable<Float32Array> {
    const { sampleRate } = runtime.pack.manifest;
    return scenario === null
      ? this.#context.readers.decode(item.file, { sampleRate, signal })
      : resampled(deformed(scenario), sampleRate);
  }

  async #deformed(item: TaskItem, scenario: Scenario, signal: AbortSignal): Promise<Float32Array> {
    return (await this.deformed(item, scenario, signal)).samples;
  }

  /** A track taken through a scenario, with what was measured. */
  deformed(
    { file: path, sha256 }: TaskItem,
    scenario: Scenario,
    signal: AbortSignal,
  ): Promise<{ samples: Float32Array; measures: DeformationMeasure[] }> {
    const { readers: decode } = this.#context;
    const tools: DeformationTools = {
      mp3: (sound, kilobits) => thereAndBack(sound.samples, sound.sampleRate, kilobits),
      response: (file, sampleRate) => wholeFile(file, sampleRate, decode, signal),
    };
    return deformedFile({ path, sha256, decode, signal }, scenario, tools);
  }
}
