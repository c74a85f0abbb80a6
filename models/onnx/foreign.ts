import { CheckpointError } from '../checkpoint/errors.ts';
import { referencesExternalData } from './external-data.ts';
import { elementTypes, parseModel, type ModelMessage, type ValueInfoMessage } from './proto.ts';

/** An input or output of somebody else's graph. */
export interface ForeignTensor {
  name: string;
  /** float32, as everything here is. */
  isFloat: boolean;
  /** A size that is known at run time only is null; null in all where the graph does not say how many there are. */
  dims: (number | null)[] | null;
}

/** What somebody else's ONNX file says about itself; nothing of it was run. */
export interface ForeignModel {
  inputs: ForeignTensor[];
  outputs: ForeignTensor[];
  /** Version of ONNX's own operators. */
  opset: number;
}

/** The newest operators that the shipped ONNX Runtime has. */
const NEWEST_OPSET = 25;
/** The oldest that it still runs. */
const OLDEST_OPSET = 7;
/** Beside ONNX's own, what ONNX Runtime has built in. */
const KNOWN_DOMAINS = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft']);
const EXPORT_AGAIN = 'Export it again from its framework, as one ONNX file of standard operators.';

/**
 * Reads what an ONNX file takes and gives.
 * @throws CheckpointError `not-a-checkpoint`, `unsupported`, saying what is in the way
 */
export function readForeignModel(bytes: Uint8Array): ForeignModel {
  const model = parsed(bytes);
  const opset = opsetOf(model);
  const foreign = model.graph.node.find(({ domain = '' }) => !KNOWN_DOMAINS.has(domain));
  if (foreign !== undefined)
    throw new CheckpointError(
      'unsupported',
      `it uses the operator ${foreign.opType} of the domain ${foreign.domain ?? ''}, which ONNX Runtime does not have`,
      EXPORT_AGAIN,
    );
  const weights = new Set(model.graph.initializer.map(({ name }) => name));
  return {
    // Until IR version 4 weights were listed among the inputs.
    inputs: model.graph.input.filter(({ name }) => !weights.has(name)).map(tensorOf),
    outputs: model.graph.output.map(tensorOf),
    opset,
  };
}

function parsed(bytes: Uint8Array): ModelMessage {
  let external: boolean;
  let model: ModelMessage;
  try {
    // First: it also refuses what nests without end.
    external = referencesExternalData(bytes);
    model = parseModel(bytes);
  } catch (cause) {
    throw new CheckpointError(
      'not-a-checkpoint',
      'it is not an ONNX model',
      'Choose the .onnx file itself.',
      { cause },
    );
  }
  if (external)
    throw new CheckpointError(
      'unsupported',
      'it keeps its weights in another file, which a pack may not have',
      'Save it as one file: in Python, onnx.save(onnx.load("model.onnx"), "whole.onnx").',
    );
  return model;
}

function opsetOf(model: ModelMessage): number {
  // What the file leaves out is not there, whatever the types of what we write say.
  const imports: readonly Partial<ModelMessage['opsetImport'][number]>[] = model.opsetImport;
  const version = imports.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')?.version ?? 0;
  if (version >= OLDEST_OPSET && version <= NEWEST_OPSET) return version;
  throw new CheckpointError(
    'unsupported',
    version === 0
      ? 'it does not say which operators it uses'
      : `it uses version ${version} of ONNX’s operators`,
    `Versions ${OLDEST_OPSET} to ${NEWEST_OPSET} are run here. ${EXPORT_AGAIN}`,
  );
}

function tensorOf({ name, type }: Partial<ValueInfoMessage> & { name: string }): ForeignTensor {
  const tensor: Partial<ValueInfoMessage['type']['tensorType']> | undefined = type?.tensorType;
  const dims = tensor?.shape?.dim.map(({ dimValue }) =>
    dimValue !== undefined && dimValue > 0 ? dimValue : null,
  );
  return { name, isFloat: tensor?.elemType === elementTypes.float32, dims: dims ?? null };
}
