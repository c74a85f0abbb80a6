import { PackError, type ComputedBy, type Pack, type PackRuntime } from '../../models/packs/index.ts';
import type { ProviderName } from '../../models/packs/provider-names.ts';
import type { JobLane } from '../api/jobs.ts';
import type { Embedder } from './embedder.ts';
import type { RunMethod } from './contract.ts';

/** What is computed first: what somebody listens for, then what somebody asked for, then an import; last what nobody waits for. */
export const priorities: Readonly<Record<JobLane, number>> = {
  listen: 0,
  compute: 1,
  import: 2,
  network: 3,
  background: 4,
};

/** The runtime of a pack in the embedder process, for the work of one lane. */
export class EmbedderRuntime implements PackRuntime {
  readonly pack: Pack;
  readonly provider: ProviderName;
  readonly #embedder: Embedder;
  readonly #threads: () => number | null;
  readonly #priority: number;
  readonly #afterwards: (() => Promise<void>) | null;
  readonly #calls = new Set<Promise<unknown>>();
  #computedBy: ComputedBy | null = null;
  #closed = false;

  constructor(
    embedder: Embedder,
    pack: Pack,
    options: {
      provider: ProviderName;
      threads: () => number | null;
      lane: JobLane;
      /** What is still to be done once everything that was asked is answered. */
      closed?: () => Promise<void>;
    },
  ) {
    this.pack = pack;
    this.provider = options.provider;
    this.#embedder = embedder;
    this.#threads = options.threads;
    this.#priority = priorities[options.lane];
    this.#afterwards = options.closed ?? null;
  }

  get computedBy(): ComputedBy | null {
    return this.#computedBy;
  }

  embed(waveforms: Float32Array, batch: number): Promise<Float32Array> {
    return this.#run('embed', [waveforms], batch, this.pack.manifest.embeddingDim);
  }

  features(waveforms: Float32Array, batch: number): Promise<Float32Array> {
    return this.#run('features', [waveforms], batch, this.#frame);
  }

  embedFeatures(features: Float32Array, batch: number): Promise<Float32Array> {
    return this.#run('embedFeatures', [features], batch, this.pack.manifest.embeddingDim);
  }

  patchEmbeddings(waveforms: Float32Array, batch: number): Promise<Float32Array> {
    const { network, graphs, embeddingDim } = this.pack.manifest;
    const patches = graphs.embed ? 1 : (network?.patches ?? 1);
    return this.#run('patchEmbeddings', [waveforms], batch, patches * embeddingDim);
  }

  tags(waveforms: Float32Array, batch: number): Promise<Float32Array> {
    const { network } = this.pack.manifest;
    const each = (network?.patches ?? 0) * (network?.tags?.classes.length ?? 0);
    return this.#run('tags', [waveforms], batch, each);
  }

  project(embeddings: Float32Array, batch: number): Promise<Float32Array> {
    return this.#run('project', [embeddings], batch, this.pack.manifest.embeddingDim);
  }

  denoise(x: Float32Array, sigma: Float32Array, z: Float32Array): Promise<Float32Array> {
    return this.#run('denoise', [x, sigma, z], sigma.length, this.#frame);
  }

  decode(features: Float32Array, batch: number): Promise<Float32Array> {
    return this.#run('decode', [features], batch, this.pack.manifest.windowSamples);
  }

  /** Nothing more is asked here; what was asked is answered. The sessions stay, unless it is said otherwise. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#calls]);
    await this.#afterwards?.();
  }

  get #frame(): number {
    const { framesPerWindow, featureDim } = this.pack.manifest;
    return framesPerWindow * featureDim;
  }

  /** @param each numbers of the output per row of the batch: the answer of another process is not trusted */
  #run(method: RunMethod, inputs: Float32Array[], batch: number, each: number): Promise<Float32Array> {
    if (this.#closed) return Promise.reject(new Error('the pack runtime is closed'));
    if (!Number.isInteger(batch) || batch < 1)
      return Promise.reject(new RangeError(`batch ${batch} is not a positive integer`));
    const { folder, sha256 } = this.pack;
    const key = { folder, sha256, provider: this.provider, threads: this.#threads() };
    const call = this.#embedder
      .ask(
        'run',
        { pack: key, method, inputs: inputs.map(alone), batch },
        { priority: this.#priority, pack: this.pack, graph: `${sha256} ${this.provider} ${method}` },
      )
      .then(({ output, by }) => {
        this.#computedBy = by;
        if (output.length === batch * each) return output;
        throw new PackError('graph', `${method} gave ${output.length} numbers instead of ${batch * each}`);
      })
      .finally(() => this.#calls.delete(call));
    this.#calls.add(call);
    return call;
  }
}

/** A view would take all of its buffer along. */
function alone(values: Float32Array): Float32Array {
  return values.byteLength === values.buffer.byteLength ? values : values.slice();
}
