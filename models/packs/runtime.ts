import { availableParallelism } from 'node:os';
import { PhaseRetrieval, type PhaseRetrievalSettings, type Spectra } from '../audio/phase-retrieval.ts';
import type { LogBands } from '../audio/log-bands.ts';
import { computedHere, type ComputedBy } from './computed-by.ts';
import { PackError } from './errors.ts';
import { meansOf, runPatches, type PatchOutputs } from './patches.ts';
import { kernelFrontEnd } from './front-end.ts';
import { readGraph } from './graph-file.ts';
import { encodedDim, type GraphName, type Pack } from './manifest.ts';
import type { ProviderName } from './provider-names.ts';
import { allFinite, GraphSession } from './session.ts';

/** How a runtime is opened. */
export interface RuntimeOptions {
  /** Default `cpu`. */
  provider?: ProviderName;
  /** Threads inside one operator; default: the cores this process may use, at most 16. */
  threads?: number;
}

/**
 * A pack's graphs, ready to run. S, T, F, D are the manifest's windowSamples, framesPerWindow, featureDim, embeddingDim.
 * All methods throw PackError when a file or a result is bad, RangeError on inputs of a wrong size.
 * ONNX Runtime computes on the calling JavaScript thread: keep batches small where the thread has to answer.
 */
export interface PackRuntime {
  readonly pack: Pack;
  readonly provider: ProviderName;
  /** What computed the last answer; null before the first one. */
  readonly computedBy: ComputedBy | null;
  /** Embeddings `[batch, D]` of waveforms `[batch, S]`. */
  embed(waveforms: Float32Array, batch: number): Promise<Float32Array>;
  /** Frame features `[batch, T, F]` of waveforms `[batch, S]`. */
  features(waveforms: Float32Array, batch: number): Promise<Float32Array>;
  /** Embeddings `[batch, D]` of frame features `[batch, T, F]`; packs with a fused `embed` graph cannot. */
  embedFeatures(features: Float32Array, batch: number): Promise<Float32Array>;
  /** Embeddings `[batch, patches, D]` of the patches of each window; packs without patches have one, the window itself. */
  patchEmbeddings(waveforms: Float32Array, batch: number): Promise<Float32Array>;
  /**
   * What the network of the pack says of each patch, `[batch, patches, classes]`.
   * @throws PackError `graph` where the pack has no tags
   */
  tags(waveforms: Float32Array, batch: number): Promise<Float32Array>;
  /** Embeddings `[batch, D]` of those `[batch, P]` of the pack that this one projects. */
  project(embeddings: Float32Array, batch: number): Promise<Float32Array>;
  /** v-prediction `[B, T, F]` for noisy features `x [B, T, F]`, `sigma [B]` in 0…1 and `z [B, D]`. */
  denoise(x: Float32Array, sigma: Float32Array, z: Float32Array): Promise<Float32Array>;
  /** Waveforms `[batch, S]` of frame features `[batch, T, F]`. */
  decode(features: Float32Array, batch: number): Promise<Float32Array>;
  /** Frees all sessions; calls under way finish first. */
  close(): Promise<void>;
}

/**
 * Opens a pack for use. Each graph is read, checked and loaded at its first call, so embedding alone never loads the
 * generative half.
 */
export function openRuntime(pack: Pack, options: RuntimeOptions = {}): Promise<PackRuntime> {
  return Promise.resolve(new SessionRuntime(pack, options));
}

const none = new Float32Array();
/** Front-ends that a kernel stands in for are a few tables; larger graphs are something else. */
const LARGEST_FRONT_END = 1 << 20;

class SessionRuntime implements PackRuntime {
  readonly pack: Pack;
  readonly provider: ProviderName;
  readonly computedBy: ComputedBy;
  readonly #threads: number;
  readonly #sessions = new Map<GraphName, Promise<GraphSession>>();
  readonly #calls = new Set<Promise<Float32Array>>();
  #frontEnd: Promise<LogBands | null> | null = null;
  #phases: PhaseRetrieval | null = null;
  #retrieved: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(pack: Pack, options: RuntimeOptions) {
    this.pack = pack;
    this.provider = options.provider ?? 'cpu';
    this.computedBy = computedHere(this.provider);
    this.#threads = options.threads ?? Math.min(16, availableParallelism());
  }

  embed(waveforms: Float32Array, batch: number): Promise<Float32Array> {
    return this.#call(async () => {
      const { graphs } = this.pack.manifest;
      if (graphs.embed) return this.#projected(await this.#run('embed', [waveforms], batch), batch);
      if (graphs.network) return this.#embedRows(await this.#networkRows(waveforms, batch), batch);
      return this.#embedFeatures(await this.#features(waveforms, batch), batch);
    });
  }

  patchEmbeddings(waveforms: Float32Array, batch: number): Promise<Float32Array> {
    const { graphs, network } = this.pack.manifest;
    if (graphs.embed || !network) return this.embed(waveforms, batch);
    return this.#call(async () => {
      const { embeddings } = await this.#patches(await this.#networkRows(waveforms, batch), batch);
      return this.#projected(embeddings, batch * network.patches);
    });
  }

  embedFeatures(features: Float32Array, batch: number): Promise<Float32Array> {
    return this.#call(() => this.#embedFeatures(features, batch));
  }

  project(embeddings: Float32Array, batch: number): Promise<Float32Array> {
    return this.#call(() => this.#run('projection', [embeddings], batch));
  }

  features(waveforms: Float32Array, batch: number): Promise<Float32Array> {
    return this.#call(() => this.#features(waveforms, batch));
  }

  tags(waveforms: Float32Array, batch: number): Promise<Float32Array> {
    return this.#call(async () => {
      const { id, network } = this.pack.manifest;
      if (!network?.tags)
        throw new PackError('graph', `the pack ${id} has no tags`, {
          hint: 'Choose a pack made of a tagger, with the classes in its JSON.',
        });
      return (await this.#patches(await this.#networkRows(waveforms, batch), batch)).tags;
    });
  }

  denoise(x: Float32Array, sigma: Float32Array, z: Float32Array): Promise<Float32Array> {
    return this.#call(() => this.#run('denoiser', [x, sigma, z], sigma.length));
  }

  decode(features: Float32Array, batch: number): Promise<Float32Array> {
    return this.#call(() => this.#decode(features, batch));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#calls]);
    const sessions = await Promise.allSettled([...this.#sessions.values()]);
    this.#sessions.clear();
    const opened = sessions.flatMap((session) => (session.status === 'fulfilled' ? [session.value] : []));
    await Promise.all(opened.map((session) => session.close()));
  }

  #call(work: () => Promise<Float32Array>): Promise<Float32Array> {
    if (this.#closed) return Promise.reject(new Error('the pack runtime is closed'));
    const call = work().finally(() => this.#calls.delete(call));
    this.#calls.add(call);
    return call;
  }

  async #features(waveforms: Float32Array, batch: number): Promise<Float32Array> {
    this.#frontEnd ??= this.#openFrontEnd();
    const kernel = await this.#frontEnd;
    if (kernel === null) return this.#run('features', [waveforms], batch);
    const features = kernel.run(waveforms, batch);
    if (!allFinite(features)) throw new PackError('graph', 'the front-end gave numbers that are not finite');
    return features;
  }

  /** Only on the CPU: other providers keep everything on their side. */
  async #openFrontEnd(): Promise<LogBands | null> {
    const entry = this.pack.manifest.graphs.features;
    if (this.provider !== 'cpu' || entry === undefined || entry.bytes > LARGEST_FRONT_END) return null;
    try {
      const graph = await readGraph(this.pack, 'features');
      const kernel = await kernelFrontEnd(graph, this.pack.manifest, (waveforms, batch) =>
        this.#run('features', [waveforms], batch),
      );
      if (kernel !== null) await this.#release('features');
      return kernel;
    } catch (error) {
      // A failure is not kept: the file may be repaired and the next call succeed.
      this.#frontEnd = null;
      throw error;
    }
  }

  async #release(name: GraphName): Promise<void> {
    const session = await this.#sessions.get(name);
    this.#sessions.delete(name);
    await session?.close();
  }

  /** What the network listens to: frames, or the waveform itself. */
  #networkRows(waveforms: Float32Array, batch: number): Promise<Float32Array> {
    return this.pack.manifest.graphs.features ? this.#features(waveforms, batch) : Promise.resolve(waveforms);
  }

  async #patches(rows: Float32Array, windows: number): Promise<PatchOutputs> {
    const { manifest } = this.pack;
    const { network, featureDim: width } = manifest;
    if (!network) throw new Error('the pack has no network');
    const sizes = { windows, width, dim: encodedDim(manifest) };
    return runPatches(await this.#session('network'), network, rows, sizes);
  }

  async #embedFeatures(features: Float32Array, batch: number): Promise<Float32Array> {
    if (this.pack.manifest.graphs.network) return this.#embedRows(features, batch);
    const hidden = await this.#run('encoder', [features], batch);
    return this.#projected(await this.#run('summary', [hidden], batch), batch);
  }

  async #embedRows(rows: Float32Array, batch: number): Promise<Float32Array> {
    const { embeddings } = await this.#patches(rows, batch);
    return this.#projected(meansOf(embeddings, batch, encodedDim(this.pack.manifest)), batch);
  }

  #projected(embeddings: Float32Array, batch: number): Promise<Float32Array> | Float32Array {
    return this.pack.manifest.graphs.projection ? this.#run('projection', [embeddings], batch) : embeddings;
  }

  async #decode(features: Float32Array, batch: number): Promise<Float32Array> {
    const { phaseRetrieval, framesPerWindow, windowSamples } = this.pack.manifest;
    if (!phaseRetrieval) return this.#run('decoder', [features], batch);
    const session = await this.#session('decoder');
    const [magnitude = none, real = none, imaginary = none] = await session.run([features], batch);
    const waveforms = new Float32Array(batch * windowSamples);
    const size = magnitude.length / batch;
    for (let i = 0; i < batch; i++) {
      const part = (all: Float32Array) => all.subarray(i * size, (i + 1) * size);
      const spectra = { magnitude: part(magnitude), real: part(real), imaginary: part(imaginary) };
      waveforms.set(await this.#retrieve(spectra, phaseRetrieval, framesPerWindow), i * windowSamples);
    }
    return waveforms;
  }

  /** One waveform after the other: they share a memory. */
  #retrieve(spectra: Spectra, settings: PhaseRetrievalSettings, frames: number): Promise<Float32Array> {
    this.#phases ??= new PhaseRetrieval(settings, frames);
    const phases = this.#phases;
    const result = this.#retrieved.then(() => phases.run(spectra));
    this.#retrieved = result.catch(() => undefined);
    return result;
  }

  async #run(name: GraphName, inputs: readonly Float32Array[], batch: number): Promise<Float32Array> {
    const session = await this.#session(name);
    const [output = none] = await session.run(inputs, batch);
    return output;
  }

  async #session(name: GraphName): Promise<GraphSession> {
    let session = this.#sessions.get(name);
    if (session === undefined) {
      this.#requireGenerative(name);
      session = GraphSession.open(this.pack, name, { provider: this.provider, threads: this.#threads });
      this.#sessions.set(name, session);
      // A failure is not kept: the file may be repaired and the next call succeed.
      session.catch(() => this.#sessions.delete(name));
    }
    return session;
  }

  #requireGenerative(name: GraphName): void {
    const { id, kind } = this.pack.manifest;
    if ((name === 'denoiser' || name === 'decoder') && kind !== 'generative')
      throw new PackError('not-generative', `the pack ${id} only makes embeddings`);
  }
}
