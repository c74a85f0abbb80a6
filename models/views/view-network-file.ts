import * as z from 'zod';
import { float32Array, readSafetensors, TensorFormatError, writeSafetensors } from '../tensors/index.ts';
import type { NumericArray, Safetensors } from '../tensors/index.ts';
import { PrototypeError } from '../pecmae/errors.ts';
import { PrototypeNetwork } from '../pecmae/network.ts';
import type { ViewNetworkData } from './view-network-data.ts';

const FORMAT = 'archetone.view-network';
const VERSION = '1';

const descriptionSchema = z.strictObject({ views: z.int().min(2).max(100) });

/** Writes every view's network as the file it would be on its own, and what belongs to all of them beside it. */
export function viewsToBytes({ views, joint }: ViewNetworkData): Uint8Array {
  const { length: classes } = joint.bias;
  const tensors: Record<string, NumericArray> = {
    'joint.weights': float32Array(joint.weights, [classes, joint.weights.length / classes]),
    'joint.bias': float32Array(joint.bias, [classes]),
  };
  views.forEach(({ network, standardisation: { mean, scale }, typical }, v) => {
    const bytes = network.toBytes();
    tensors[`view${v}.network`] = { dtype: 'uint8', shape: [bytes.length], data: bytes };
    tensors[`view${v}.mean`] = { dtype: 'float64', shape: [mean.length], data: mean };
    tensors[`view${v}.scale`] = { dtype: 'float64', shape: [scale.length], data: scale };
    tensors[`view${v}.typical`] = float32Array(typical, [typical.length]);
  });
  const description: z.infer<typeof descriptionSchema> = { views: views.length };
  return writeSafetensors(tensors, {
    format: FORMAT,
    version: VERSION,
    description: JSON.stringify(description),
  });
}

/** @throws PrototypeError `file` when the bytes are not what {@link viewsToBytes} writes. */
export function viewsFromBytes(bytes: Uint8Array): ViewNetworkData {
  const file = read(bytes);
  const { format, version, description } = file.metadata;
  if (format !== FORMAT) throw notViews('the file is of another kind');
  if (version !== VERSION) throw notViews(`version ${version ?? '?'} is not known`);
  const parsed = descriptionSchema.safeParse(parseJson(description ?? ''));
  if (!parsed.success) throw notViews(`its description is malformed: ${z.prettifyError(parsed.error)}`);
  return {
    views: Array.from({ length: parsed.data.views }, (_, v) => ({
      network: PrototypeNetwork.fromBytes(valuesOf(file, `view${v}.network`, Uint8Array)),
      standardisation: {
        mean: valuesOf(file, `view${v}.mean`, Float64Array),
        scale: valuesOf(file, `view${v}.scale`, Float64Array),
      },
      typical: valuesOf(file, `view${v}.typical`, Float32Array),
    })),
    joint: {
      weights: valuesOf(file, 'joint.weights', Float32Array),
      bias: valuesOf(file, 'joint.bias', Float32Array),
    },
  };
}

function read(bytes: Uint8Array): Safetensors {
  try {
    return readSafetensors(bytes);
  } catch (error) {
    if (error instanceof TensorFormatError) throw notViews(error.message, error);
    throw error;
  }
}

function valuesOf<T>(file: Safetensors, name: string, Type: new (...args: never[]) => T): T {
  const data: unknown = file.tensors.get(name)?.data;
  if (!(data instanceof Type)) throw notViews(`${name} is missing or of another type`);
  return data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function notViews(problem: string, cause?: Error): PrototypeError {
  return new PrototypeError(
    'file',
    `not a network of several views: ${problem}`,
    'Choose a network that Archetone saved.',
    cause ? { cause } : {},
  );
}
