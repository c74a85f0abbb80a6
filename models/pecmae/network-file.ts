import * as z from 'zod';
import { float32Array, readSafetensors, TensorFormatError, writeSafetensors } from '../tensors/index.ts';
import type { Safetensors } from '../tensors/index.ts';
import { PrototypeError } from './errors.ts';
import type { PrototypeNetworkData, ResolvedNetworkData } from './network-data.ts';

const FORMAT = 'archetone.prototype-network';
/** The first without weights of channels, which who reads only that could not leave out; the second with them. */
const VERSIONS = { plain: '1', weighted: '2' } as const;

const descriptionSchema = z.strictObject({
  classes: z.array(z.string()).min(1),
  embeddingDim: z.int().positive(),
  prototypesPerClass: z.int().positive(),
  task: z.enum(['single', 'multi']),
  normalisation: z.strictObject({ mean: z.number(), scale: z.number().positive() }),
  temperature: z.number().positive(),
  /** Where a person named any: equal networks stay equal files, and most have none. */
  prototypeNames: z.array(z.string()).optional(),
  /** Places of those that are frozen, where any is. */
  frozen: z.array(z.int().min(0)).optional(),
});

/** Writes the numbers as safetensors and the rest as JSON in its metadata. */
export function networkToBytes(data: ResolvedNetworkData): Uint8Array {
  const { prototypes, weights, bias, prototypeClasses, channelWeights } = data;
  const [k, c] = [prototypeClasses.length, data.classes.length];
  const description: z.infer<typeof descriptionSchema> = {
    classes: data.classes,
    embeddingDim: data.embeddingDim,
    prototypesPerClass: data.prototypesPerClass,
    task: data.task,
    normalisation: { mean: data.normalisation.mean, scale: data.normalisation.scale },
    temperature: data.temperature,
    ...(data.prototypeFrozen.includes(true) && {
      frozen: data.prototypeFrozen.flatMap((frozen, j) => (frozen ? [j] : [])),
    }),
    ...(data.prototypeNames.some((name) => name !== '') && { prototypeNames: [...data.prototypeNames] }),
  };
  return writeSafetensors(
    {
      prototypes: float32Array(prototypes, [k, data.embeddingDim]),
      weights: float32Array(weights, [c, k]),
      bias: float32Array(bias, [c]),
      prototype_classes: { dtype: 'int32', shape: [k], data: prototypeClasses },
      ...(channelWeights && { channel_weights: float32Array(channelWeights, [k, data.embeddingDim]) }),
    },
    {
      format: FORMAT,
      version: channelWeights ? VERSIONS.weighted : VERSIONS.plain,
      description: JSON.stringify(description),
    },
  );
}

/** @throws PrototypeError `file` when the bytes are not what {@link networkToBytes} writes. */
export function networkFromBytes(bytes: Uint8Array): PrototypeNetworkData {
  const file = read(bytes);
  const { format, version, description } = file.metadata;
  if (format !== FORMAT) throw notANetwork('the file is of another kind');
  if (version !== VERSIONS.plain && version !== VERSIONS.weighted)
    throw notANetwork(`version ${version ?? '?'} is not known`);
  const parsed = descriptionSchema.safeParse(parseJson(description ?? ''));
  if (!parsed.success) throw notANetwork(`its description is malformed: ${z.prettifyError(parsed.error)}`);
  const { prototypeNames, frozen, ...data } = parsed.data;
  const prototypeClasses = file.tensors.get('prototype_classes')?.data;
  if (!(prototypeClasses instanceof Int32Array)) throw notANetwork('it has no prototype_classes');
  const [k, c] = [prototypeClasses.length, data.classes.length];
  return {
    ...data,
    prototypes: floats(file, 'prototypes', [k, data.embeddingDim]),
    weights: floats(file, 'weights', [c, k]),
    bias: floats(file, 'bias', [c]),
    ...(version === VERSIONS.weighted && {
      channelWeights: floats(file, 'channel_weights', [k, data.embeddingDim]),
    }),
    prototypeClasses,
    ...(prototypeNames && { prototypeNames }),
    ...(frozen && { prototypeFrozen: Array.from({ length: k }, (_, j) => frozen.includes(j)) }),
  };
}

function read(bytes: Uint8Array): Safetensors {
  try {
    return readSafetensors(bytes);
  } catch (error) {
    if (error instanceof TensorFormatError) throw notANetwork(error.message, error);
    throw error;
  }
}

function floats(file: Safetensors, name: string, shape: number[]): Float32Array {
  const tensor = file.tensors.get(name);
  if (!(tensor?.data instanceof Float32Array) || tensor.shape.join() !== shape.join()) {
    throw notANetwork(`${name} is not float32 [${shape.join()}]`);
  }
  return tensor.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function notANetwork(problem: string, cause?: Error): PrototypeError {
  return new PrototypeError(
    'file',
    `not a prototype network: ${problem}`,
    'Choose a network that Archetone saved.',
    cause ? { cause } : {},
  );
}
