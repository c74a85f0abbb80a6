import { CheckpointError } from '../checkpoint/errors.ts';
import { GraphBuilder, type Value } from '../onnx/builder.ts';
import { GraphBuildError } from '../onnx/errors.ts';
import type { Dimension } from '../onnx/proto.ts';
import { elementwise, type Operators } from './elementwise.ts';
import { damaged, outputOf, type TfGraph, type TfNode } from './graph.ts';
import { Call, held, MOST_SIZES, sizesOf, type Held } from './held.ts';
import { layers } from './layers.ts';
import { shaping } from './shaping.ts';

/** Which part of a graph is wanted. */
export interface TfRequest {
  /** The placeholder that is fed. */
  input: string;
  /** Its sizes where the graph does not say; the first is the batch. */
  inputShape: readonly (number | null)[] | null;
  /** Outputs of nodes, `node` or `node:1`; the ONNX graph names its outputs so. */
  outputs: readonly string[];
}

const operators: Operators = { ...elementwise, ...shaping, ...layers };

/**
 * Turns a graph of TensorFlow into one of ONNX: what its outputs need and nothing else. The batch is left open where the
 * placeholder leaves it open.
 * @throws CheckpointError `missing-tensor` for a node that is not there, `unsupported` naming an operator, `malformed`
 */
export function tensorflowToOnnx(graph: TfGraph, request: TfRequest): Uint8Array {
  const g = new GraphBuilder('tensorflow');
  const results = new Map<string, readonly Held[]>();
  const inputNode = outputOf(request.input).node;
  const input = nodeOf(graph, inputNode, 'input');
  results.set(inputNode, [held(g.input(request.input, 'float32', inputDims(input, request.inputShape)))]);
  const wanted = request.outputs.map((output) => ({ output, ...aliased(graph, output) }));
  for (const { node } of wanted) compute(graph, node, results, g);
  for (const { output, node, index } of wanted) {
    const found = results.get(node)?.[index];
    if (found === undefined) throw damaged(`${node} has no output ${index}`);
    const value = new Call(g, nodeOf(graph, node, 'output'), [found]).value(0);
    g.output(output, value, named(value, output));
  }
  return g.build();
}

/** Placeholders of a graph, and nodes that nothing else takes: what a file can be asked for. */
export function endsOf(graph: TfGraph): { inputs: string[]; outputs: string[] } {
  const used = new Set(
    [...graph.values()].flatMap(({ inputs }) => inputs.map((input) => outputOf(input).node)),
  );
  return {
    inputs: [...graph.values()].filter(({ op }) => op === 'Placeholder').map(({ name }) => name),
    outputs: [...graph.keys()].filter((name) => !used.has(name)),
  };
}

/** Sizes of an output; one that is not known gets a name, as ONNX wants it. */
function named(value: Value, output: string): readonly Dimension[] {
  if (value.shape !== null) return value.shape;
  throw new CheckpointError(
    'shape',
    `the sizes of ${output} cannot be told`,
    'Use the ONNX file of this model where there is one, or convert it with tf2onnx.',
  );
}

function inputDims(node: TfNode, told: TfRequest['inputShape']): Dimension[] {
  const own = node.attributes.get('shape')?.shape ?? null;
  // An old file may not say anything, not even how many sizes there are.
  const shape = own !== null && own.length > 0 ? own : told;
  if (shape === null)
    throw new CheckpointError(
      'shape',
      `neither the graph nor its JSON says what size the input ${node.name} has`,
      'Add the sizes of the input to the JSON.',
    );
  return shape.map((size, i) => size ?? (i > 0 ? told?.[i] : null) ?? (i === 0 ? 'batch' : `size${i}`));
}

/** A layer that is fused with its activation can still be asked for what it was before: `…/BiasAdd`. */
function aliased(graph: TfGraph, output: string): { node: string; index: number } {
  const found = outputOf(output);
  if (graph.has(found.node) || !found.node.endsWith('/BiasAdd')) {
    nodeOf(graph, found.node, 'output');
    return found;
  }
  const layer = found.node.slice(0, -'BiasAdd'.length);
  const fused = [...graph.values()].find(
    ({ name, op }) =>
      op.includes('Fused') && name.startsWith(layer) && !name.slice(layer.length).includes('/'),
  );
  return { node: nodeOf(graph, fused?.name ?? found.node, 'output').name, index: 1 };
}

function nodeOf(graph: TfGraph, name: string, what: 'input' | 'output'): TfNode {
  const node = graph.get(name);
  if (node !== undefined) return node;
  const ends = endsOf(graph)[`${what}s`].slice(0, 12).join(', ');
  throw new CheckpointError(
    'missing-tensor',
    `the graph has no ${what} named ${name}`,
    `Its ${what}s are ${ends || 'none'}: use the JSON that is published with this very file, or name one of them.`,
  );
}

/** Converts a node and what it needs, without calling itself: graphs are deep. */
function compute(
  graph: TfGraph,
  wanted: string,
  results: Map<string, readonly Held[]>,
  g: GraphBuilder,
): void {
  const path = [wanted];
  const begun = new Set<string>();
  for (let name = path.at(-1); name !== undefined; name = path.at(-1)) {
    if (results.has(name)) {
      path.pop();
      continue;
    }
    const node = graph.get(name);
    if (node === undefined) throw damaged(`the graph takes ${name}, which it does not have`);
    const missing = node.inputs.map((input) => outputOf(input).node).filter((input) => !results.has(input));
    if (missing.length === 0) {
      results.set(name, converted(node, results, g));
      path.pop();
    } else if (begun.has(name)) throw damaged(`the node ${name} needs itself`);
    else {
      begun.add(name);
      for (const input of missing) path.push(input);
    }
  }
}

function converted(
  node: TfNode,
  results: ReadonlyMap<string, readonly Held[]>,
  g: GraphBuilder,
): readonly Held[] {
  const inputs = node.inputs.map((input) => {
    const { node: name, index } = outputOf(input);
    const found = results.get(name)?.[index];
    if (found === undefined)
      throw damaged(`${node.name} takes output ${index} of ${name}, which is not there`);
    return found;
  });
  const call = new Call(g, node, inputs);
  if (node.op === 'Const') return [constant(call)];
  if (node.op === 'Placeholder') throw call.problem('is a second input; networks with one are taken');
  const convert = Object.hasOwn(operators, node.op) ? operators[node.op] : undefined;
  if (convert === undefined) throw call.problem('is not one that Archetone can turn into ONNX');
  g.section(node.name);
  try {
    const result = convert(call);
    return isList(result) ? result : [result];
  } catch (thrown) {
    if (!(thrown instanceof GraphBuildError)) throw thrown;
    throw damaged(thrown.message, thrown);
  } finally {
    g.section('');
  }
}

function constant(call: Call): Held {
  const { tensor } = call.attribute('value');
  if (tensor === undefined) throw call.problem('holds no numbers');
  return tensor.isFloat || tensor.shape.length > 1 || tensor.data.length > MOST_SIZES
    ? { kind: 'tensor', tensor }
    : sizesOf(Array.from(tensor.data), tensor.shape.length === 0);
}

const isList = (result: Held | readonly Held[]): result is readonly Held[] => Array.isArray(result);
