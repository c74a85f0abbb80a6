import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Resampler } from '../../models/audio/resampler.ts';
import { cutWindows } from '../../models/audio/windows.ts';
import type { DeformationMeasure, DeformationTools } from '../../models/deformations/deformation.ts';
import { deform, type Scenario } from '../../models/deformations/scenario.ts';
import { spaceKey } from '../../models/embeddings/space.ts';
import type { PackRuntime } from '../../models/packs/index.ts';
import type { EngineContext } from '../context.ts';
import { writeWhole } from '../files/write-whole.ts';
import { evenlySpaced } from '../import/choose-windows.ts';
import { thereAndBack } from '../scoring/compress.ts';
import type { TaskItem } from './tasks.ts';

/** Rate at which audio is deformed, whatever a pack listens at. */
const RATE = 44_100;
const BATCH = 8;

/** Vectors of a track in one space: `[windows, D]`. */
export type Vectors = Float32Array;

/** Which vectors of a track. */
export interface Wanted {
  windows: 'all' | number;
  scenario: Scenario | null;
  signal: AbortSignal;
}

/** Gives a track taken through a scenario, at `RATE`. */
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
  async make(item: TaskItem, runtimes: readonly PackRuntime[], wanted: Wanted): Promise<boolean> {
    let once: Promise<Float32Array> | null = null;
    const deformed: Deformed = (scenario) => (once ??= this.#deformed(item, scenario, wanted.signal));
    const missing = runtimes.filter((runtime) => !existsSync(this.#path(item, runtime, wanted)));
    for (const runtime of missing) await this.#make(item, runtime, wanted, deformed);
    return missing.length > 0;
  }

  /** Read, or made. @throws AudioError, PackError, ScenarioError; the signal's reason */
  async of(item: TaskItem, runtime: PackRuntime, wanted: Wanted): Promise<Vectors> {
    const path = this.#path(item, runtime, wanted);
    if (!existsSync(path))
      return this.#make(item, runtime, wanted, (scenario) => this.#deformed(item, scenario, wanted.signal));
    const bytes = await readFile(path);
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  }

  #path({ sha256 }: TaskItem, { pack }: PackRuntime, { windows, scenario }: Wanted): string {
    const space = { encoderSha256: pack.encoderSha256, windows, deformation: scenario?.key ?? null };
    // Another version may deform in another way.
    const by = scenario === null ? 'clean' : this.#context.options.version;
    return join(this.#folder, by, spaceKey(space), `${sha256}.f32`);
  }

  async #make(item: TaskItem, runtime: PackRuntime, wanted: Wanted, deformed: Deformed): Promise<Vectors> {
    const audio = this.#audio(item, runtime, wanted, deformed);
    const vectors = await embed(runtime, audio, wanted.windows, wanted.signal);
    const path = this.#path(item, runtime, wanted);
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(path, new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength));
    return vectors;
  }

  async *#audio(
    item: TaskItem,
    runtime: PackRuntime,
    { scenario, signal }: Wanted,
    deformed: Deformed,
  ): AsyncGenerator<Float32Array> {
    const { sampleRate } = runtime.pack.manifest;
    if (scenario === null) {
      yield* this.#context.readers.decode(item.file, { sampleRate, signal });
      return;
    }
    const resampler = new Resampler(RATE, sampleRate);
    yield resampler.push(await deformed(scenario));
    yield resampler.flush();
  }

  async #deformed(item: TaskItem, scenario: Scenario, signal: AbortSignal): Promise<Float32Array> {
    return (await this.deformed(item, scenario, signal)).samples;
  }

  /** A track taken through a scenario at 44.1 kHz, with what was measured; the same samples for the same file. */
  async deformed(
    item: TaskItem,
    scenario: Scenario,
    signal: AbortSignal,
  ): Promise<{ samples: Float32Array; measures: DeformationMeasure[] }> {
    const samples = await this.#whole(item.file, RATE, signal);
    const tools: DeformationTools = {
      mp3: (sound, kilobits) => thereAndBack(sound.samples, sound.sampleRate, kilobits),
      response: (path, sampleRate) => this.#whole(path, sampleRate, signal),
    };
    // Copies of a recording are deformed alike; every scenario draws its own numbers.
    const seed = createHash('sha256').update(`${item.sha256} ${scenario.key}`).digest().readUInt32LE();
    return deform({ samples, sampleRate: RATE }, scenario, seed, tools);
  }

  async #whole(path: string, sampleRate: number, signal: AbortSignal): Promise<Float32Array> {
    const pieces: Float32Array[] = [];
    for await (const piece of this.#context.readers.decode(path, { sampleRate, signal })) pieces.push(piece);
    const samples = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      samples.set(piece, at);
      at += piece.length;
    }
    return samples;
  }
}

async function embed(
  runtime: PackRuntime,
  audio: AsyncIterable<Float32Array>,
  windows: 'all' | number,
  signal: AbortSignal,
): Promise<Vectors> {
  const { windowSamples, embeddingDim } = runtime.pack.manifest;
  const all: Float32Array[] = [];
  for await (const { samples } of cutWindows(audio, { windowSamples })) all.push(samples);
  const chosen = windows === 'all' ? null : evenlySpaced(all.length, windows);
  const kept = all.filter((_, i) => chosen === null || chosen.has(i));
  const vectors = new Float32Array(kept.length * embeddingDim);
  for (let from = 0; from < kept.length; from += BATCH) {
    signal.throwIfAborted();
    const batch = kept.slice(from, from + BATCH);
    const waveforms = new Float32Array(batch.length * windowSamples);
    batch.forEach((window, i) => waveforms.set(window, i * windowSamples));
    vectors.set(await runtime.embed(waveforms, batch.length), from * embeddingDim);
  }
  return vectors;
}
