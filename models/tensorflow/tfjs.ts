import * as z from 'zod';
import { CheckpointError } from '../checkpoint/errors.ts';
import { float16ToFloat32 } from '../tensors/index.ts';
import { Budget, damaged, type TfGraph, type TfTensor } from './graph.ts';
import { graphOfJson, type GraphMessage } from './messages.ts';
import { readGraph } from './read-graph.ts';

const size = z
  .int()
  .min(0)
  .max(2 ** 31);
const modelSchema = z.object({
  format: z.string().optional(),
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z
    .array(
      z.object({
        paths: z.array(z.string().min(1).max(255)).min(1).max(1000),
        weights: z.array(
          z.object({
            name: z.string().max(1000),
            shape: z.array(size).max(8),
            dtype: z.string(),
            quantization: z
              .object({ dtype: z.string(), scale: z.number().optional(), min: z.number().optional() })
              .optional(),
          }),
        ),
      }),
    )
    .min(1)
    .max(100),
});
type Weight = z.output<typeof modelSchema>['weightsManifest'][number]['weights'][number];

/** Where the files beside a `model.json` are read. */
export interface TfjsFiles {
  /** The bytes of a file beside it. @throws CheckpointError */
  read: (name: string) => Promise<Uint8Array>;
}

/** Whether a JSON is a model of TensorFlow.js. */
export function isTfjs(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'modelTopology' in json;
}

/**
 * Reads a graph model of TensorFlow.js: `model.json` and the files of its weights.
 * @throws CheckpointError `unsupported`, `malformed`, or what `files` throws
 */
export async function readTfjs(json: unknown, files: TfjsFiles): Promise<TfGraph> {
  const model = modelSchema.safeParse(json);
  if (!model.success) throw damaged('it is not the model.json of a TensorFlow.js model', model.error);
  const { format, modelTopology, weightsManifest } = model.data;
  if (format === 'layers-model' || 'model_config' in modelTopology)
    throw new CheckpointError(
      'unsupported',
      'it is a layers model of Keras; graph models are read',
      'Convert it with tensorflowjs_converter --output_format=tfjs_graph_model.',
    );
  const weights = new Map<string, TfTensor>();
  const budget = new Budget();
  for (const { paths, weights: listed } of weightsManifest) {
    const parts: Uint8Array[] = [];
    for (const path of paths) {
      // Only files beside the model: whoever wrote it does not choose what is read.
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(path)) throw damaged(`it names weights in ${path}`);
      parts.push(await files.read(path));
    }
    let at = 0;
    const bytes = joined(parts);
    for (const weight of listed) {
      const { tensor, length } = tensorOf(weight, bytes, at, budget);
      weights.set(weight.name, tensor);
      at += length;
    }
    if (at !== bytes.length) throw damaged(`the weights have ${bytes.length} bytes, the model lists ${at}`);
  }
  return readGraph(topologyOf(modelTopology), weights);
}

function topologyOf(topology: Record<string, unknown>): GraphMessage {
  try {
    return graphOfJson(topology);
  } catch (cause) {
    throw damaged('the topology in model.json is no graph', cause);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const widths: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

function tensorOf(
  weight: Weight,
  bytes: Uint8Array,
  at: number,
  budget: Budget,
): { tensor: TfTensor; length: number } {
  const { name, shape, dtype, quantization } = weight;
  const kept = quantization?.dtype ?? dtype;
  const width = Object.hasOwn(widths, kept) ? widths[kept] : undefined;
  if (width === undefined || !Object.hasOwn(widths, dtype))
    throw damaged(`the weight ${name} is of the type ${kept}, which is not read`);
  const isFloat = dtype === 'float32';
  const count = budget.take(shape, isFloat);
  const length = width * count;
  if (!(at + length <= bytes.length)) throw damaged(`the weights end before ${name}`);
  // A copy: weights begin at any byte.
  const own = bytes.slice(at, at + length);
  const raw = numbersOf(kept, own.buffer);
  const { scale = 1, min = 0 } = quantization ?? {};
  const data = isFloat ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0; i < count; i++)
    data[i] = kept === dtype || kept === 'float16' ? (raw[i] ?? 0) : (raw[i] ?? 0) * scale + min;
  return { tensor: { shape, isFloat, data }, length };
}

function numbersOf(dtype: string, buffer: ArrayBuffer): ArrayLike<number> {
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'uint16':
      return new Uint16Array(buffer);
    case 'float16':
      return float16ToFloat32(new Uint16Array(buffer));
    default:
      return new Uint8Array(buffer);
  }
}
