import { attributeTypes, elementTypes } from './proto.ts';
import type { ModelMessage, NodeMessage, TensorMessage } from './proto.ts';

const LARGEST = 127;
/** Products with fewer weights take little time, and the first and last layers are among them. */
const SMALLEST = 2 ** 18;

/**
 * Replaces every MatMul with a large constant matrix by its 8-bit form: the input is quantised to unsigned integers
 * with the range it has in this run (DynamicQuantizeLinear), the matrix is kept as signed integers with one scale per
 * column, the product is exact in 32 bits and scaled back. ONNX Runtime fuses the four nodes into one on a CPU.
 *
 * A matrix that several products share stays shared, and so does a quantised input. Attention, norms, biases and small
 * products keep float32.
 * @param smallest fewest weights of a matrix that is quantised
 */
export function int8Model(model: ModelMessage, smallest = SMALLEST): ModelMessage {
  const { graph } = model;
  const tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const matrices = new Map<string, { parts: TensorMessage[]; names: MatrixNames }>();
  const inputs = new Map<string, string[]>();
  const nodes: NodeMessage[] = [];
  for (const node of graph.node) {
    const [x = '', weight = ''] = node.input;
    const tensor = tensors.get(weight);
    if (node.opType !== 'MatMul' || tensor === undefined || !isLarge(tensor, smallest)) {
      nodes.push(node);
      continue;
    }
    let matrix = matrices.get(weight);
    if (matrix === undefined) matrices.set(weight, (matrix = quantised(tensor)));
    let quantisedInput = inputs.get(x);
    if (quantisedInput === undefined) {
      quantisedInput = [`${x}.int8`, `${x}.scale`, `${x}.zero`];
      inputs.set(x, quantisedInput);
      nodes.push(plainNode('DynamicQuantizeLinear', `${node.name}/quantise`, [x], quantisedInput));
    }
    nodes.push(...product(node, quantisedInput, matrix.names));
  }
  const added = [...matrices.values()].flatMap(({ parts }) => parts);
  const used = new Set(nodes.flatMap((node) => node.input));
  const kept = graph.initializer.filter((tensor) => used.has(tensor.name));
  return { ...model, graph: { ...graph, node: nodes, initializer: [...kept, ...added] } };
}

interface MatrixNames {
  integers: string;
  scales: string;
  zeros: string;
}

function isLarge(tensor: TensorMessage, smallest: number): boolean {
  const count = tensor.dims.reduce((a, b) => a * b, 1);
  return tensor.dims.length === 2 && tensor.dataType === elementTypes.float32 && count >= smallest;
}

function product(node: NodeMessage, input: readonly string[], matrix: MatrixNames): NodeMessage[] {
  const [integers = '', scale = '', zero = ''] = input;
  const part = (name: string) => `${node.name}/${name}`;
  return [
    plainNode(
      'MatMulInteger',
      part('product'),
      [integers, matrix.integers, zero, matrix.zeros],
      [part('sum')],
    ),
    {
      ...plainNode('Cast', part('widen'), [part('sum')], [part('float')]),
      attribute: [{ name: 'to', type: attributeTypes.int, i: elementTypes.float32 }],
    },
    plainNode('Mul', part('scales'), [scale, matrix.scales], [part('scale')]),
    plainNode('Mul', part('scaled'), [part('float'), part('scale')], node.output),
  ];
}

function plainNode(opType: string, name: string, input: string[], output: string[]): NodeMessage {
  return { opType, name, input, output, attribute: [] };
}

/** Symmetric: zero stays zero, and the largest number of each column becomes ±127. */
function quantised(tensor: TensorMessage): { parts: TensorMessage[]; names: MatrixNames } {
  const [, columns = 0] = tensor.dims;
  const values = floatsOf(tensor);
  const scales = new Float32Array(columns);
  for (let i = 0, column = 0; i < values.length; i++) {
    scales[column] = Math.max(scales[column] ?? 0, Math.abs(values[i] ?? 0) / LARGEST);
    column = column + 1 === columns ? 0 : column + 1;
  }
  for (const [column, scale] of scales.entries()) if (scale === 0) scales[column] = 1;
  const integers = new Int8Array(values.length);
  for (let i = 0, column = 0; i < values.length; i++) {
    integers[i] = Math.round((values[i] ?? 0) / (scales[column] ?? 1));
    column = column + 1 === columns ? 0 : column + 1;
  }
  const names = {
    integers: `${tensor.name}.int8`,
    scales: `${tensor.name}.scales`,
    zeros: `${tensor.name}.zeros`,
  };
  const parts = [
    initialiser(names.integers, 'int8', tensor.dims, new Uint8Array(integers.buffer)),
    initialiser(names.scales, 'float32', [columns], new Uint8Array(scales.buffer)),
    initialiser(names.zeros, 'int8', [columns], new Uint8Array(columns)),
  ];
  return { parts, names };
}

function initialiser(
  name: string,
  type: 'int8' | 'float32',
  dims: number[],
  rawData: Uint8Array,
): TensorMessage {
  return { name, dataType: elementTypes[type], dims, rawData };
}

/** The numbers of a float32 initialiser, copied where its bytes are not aligned. */
export function floatsOf({ rawData }: TensorMessage): Float32Array {
  if (rawData.byteOffset % 4 === 0)
    return new Float32Array(rawData.buffer, rawData.byteOffset, rawData.byteLength / 4);
  return new Float32Array(new Uint8Array(rawData).buffer);
}
