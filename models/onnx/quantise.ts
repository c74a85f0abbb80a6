import { float32ToFloat16 } from '../tensors/index.ts';
import {
  attributeTypes,
  elementTypes,
  encodeModel,
  parseModel,
  type ModelMessage,
  type TensorMessage,
} from './proto.ts';
import { floatsOf, int8Model } from './quantise-int8.ts';

/** Reduced precision of a graph: `float16` halves the file, `int8` also speeds up a CPU and loses more. */
export type VariantKind = 'float16' | 'int8';

/** Smaller tensors, such as biases and norms, stay as they are: they weigh nothing and matter. */
const SMALLEST = 4096;
const LARGEST_HALF = 65_504;

/**
 * A variant of a graph in reduced precision, with the same inputs and outputs in float32.
 *
 * - `float16`: large weights are kept in half precision and widened when the graph is loaded. Computes as fast and in
 *   the same precision as before, on every provider; only the file is half as large, and the weights are rounded.
 * - `int8`: products with large constant matrices take 8-bit integers. Weights get one scale per output column when the
 *   variant is made, inputs one scale per run ({@link int8Model}).
 *
 * How much is lost depends on the weights: measure it ({@link ./variant-error.ts}) and say so on the quality card.
 * @param options.smallest fewest numbers of a weight that is changed, for small models; default: what pays
 * @throws Error when `model` is no ONNX model
 */
export function variantOf(
  model: Uint8Array,
  kind: VariantKind,
  options: { smallest?: number } = {},
): Uint8Array {
  const message = parseModel(model);
  switch (kind) {
    case 'float16':
      return encodeModel(float16Model(message, options.smallest ?? SMALLEST));
    case 'int8':
      return encodeModel(int8Model(message, options.smallest));
  }
}

function float16Model(model: ModelMessage, smallest: number): ModelMessage {
  const { graph } = model;
  const stored: TensorMessage[] = [];
  const casts: ModelMessage['graph']['node'] = [];
  for (const tensor of graph.initializer) {
    const halves = tensor.rawData.length >= 4 * smallest ? halved(tensor) : null;
    stored.push(halves ?? tensor);
    if (halves === null) continue;
    casts.push({
      input: [halves.name],
      output: [tensor.name],
      name: `${tensor.name}/widen`,
      opType: 'Cast',
      attribute: [{ name: 'to', type: attributeTypes.int, i: elementTypes.float32 }],
    });
  }
  return { ...model, graph: { ...graph, initializer: stored, node: [...casts, ...graph.node] } };
}

/** The weight in half precision, or null when it is no float32 or has numbers that half precision cannot hold. */
function halved(tensor: TensorMessage): TensorMessage | null {
  if (tensor.dataType !== elementTypes.float32) return null;
  const values = floatsOf(tensor);
  if (values.some((value) => !(Math.abs(value) <= LARGEST_HALF))) return null;
  const halves = float32ToFloat16(values);
  return {
    dims: tensor.dims,
    dataType: elementTypes.float16,
    name: `${tensor.name}.half`,
    rawData: new Uint8Array(halves.buffer),
  };
}
