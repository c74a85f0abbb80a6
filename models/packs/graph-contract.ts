import { encodedDim, type GraphName, type PackManifest } from './manifest.ts';

/** What one input or output of a graph must look like: a number is a fixed size, `batch` and `any` are free. */
export interface TensorContract {
  readonly name: string;
  readonly dims: readonly (number | 'batch' | 'any')[];
}
/** Inputs and outputs of one graph. */
export interface GraphContract {
  readonly inputs: readonly TensorContract[];
  /** More than one only for a decoder whose phases are retrieved outside of the graph. */
  readonly outputs: readonly TensorContract[];
}

/** Names and shapes of every graph a pack may hold (DESIGN §5): float32, batch-first, any batch size. */
export function graphContract(name: GraphName, manifest: PackManifest): GraphContract {
  const { windowSamples: S, framesPerWindow: T, featureDim: F, embeddingDim: D } = manifest;
  const tensor = (tensorName: string, ...dims: (number | 'any')[]): TensorContract => ({
    name: tensorName,
    dims: ['batch', ...dims],
  });
  const waveform = tensor('waveform', S);
  const features = tensor('features', T, F);
  // The width of `hidden` is the encoder's own business; encoder and summary only have to agree.
  const hidden = tensor('hidden', T, 'any');
  const z = tensor('z', D);
  const encoded = tensor('z', encodedDim(manifest));
  const decoderOutputs = (): TensorContract[] => {
    if (!manifest.phaseRetrieval) return [waveform];
    const bins = manifest.phaseRetrieval.size / 2 + 1;
    return ['magnitude', 'real', 'imaginary'].map((part) => tensor(part, T, bins));
  };
  switch (name) {
    case 'features':
      return { inputs: [waveform], outputs: [features] };
    case 'encoder':
      return { inputs: [features], outputs: [hidden] };
    case 'summary':
      return { inputs: [hidden], outputs: [encoded] };
    case 'embed':
      return { inputs: [waveform], outputs: [encoded] };
    case 'network':
      return networkContract(manifest);
    case 'projection':
      return { inputs: [{ ...encoded, name: 'embedding' }], outputs: [z] };
    case 'denoiser':
      return { inputs: [features, tensor('sigma'), z], outputs: [tensor('v', T, F)] };
    case 'decoder':
      return { inputs: [features], outputs: decoderOutputs() };
  }
}

/** A network has the names and sizes that its maker gave it. */
function networkContract({ network, featureDim }: PackManifest): GraphContract {
  if (!network) return { inputs: [], outputs: [] };
  const { input, embedding, tags } = network;
  const sizes = { batch: network.batch ?? ('batch' as const), time: network.patch, band: featureDim, one: 1 };
  const output = (name: string, dims: readonly (number | null)[]): TensorContract => ({
    name,
    dims: [sizes.batch, ...dims.map((size) => size ?? ('any' as const))],
  });
  return {
    inputs: [{ name: input.name, dims: input.axes.map((axis) => sizes[axis]) }],
    outputs: [
      output(embedding.output, embedding.dims),
      ...(tags ? [output(tags.output, [tags.classes.length])] : []),
    ],
  };
}
