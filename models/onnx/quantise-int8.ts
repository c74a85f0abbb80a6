import { attributeTypes, elementTypes } from './proto.ts';
import type { ModelMessage, NodeMessage, TensorMessage } from './proto.ts';

const LARGEST = 127;
/**
 * Largest sum of two weights of one sign that are neighbours in a column (rows 2i and 2i+1). Processors without 8-bit dot
 * products (x86 before VNNI) add two such products in 16 bits and saturate: 255 · 128 = 32,640 still fits.
 */
const LARGEST_PAIR = 128;
/** Steps that are tried for a column, from the finest that holds its largest weight to the one at which no pair is cut. */
const STEPS_TRIED = 8;
/** Products with fewer weights take little time, and the first and last layers are among them. */
const SMALLEST = 2 ** 18;

/**
 * Replaces every MatMul with a large constant matrix by its 8-bit form: the input is quantised to unsigned integers
 * with the range it has in this run (DynamicQuantizeLinear), the matrix is kept as signed integers with one scale per
 * column, the product is exact in 32 bits and scaled back. ONNX Runtime fuses the four nodes into one on a CPU.
 *
 * The weights' bytes are chosen so that no processor saturates ({@link LARGEST_PAIR}): the same graph gives the same
 * integers everywhere.
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

/** Symmetric: zero stays zero. Each column has the step at which rounding and cutting pairs together lose least. */
function quantised(tensor: TensorMessage): { parts: TensorMessage[]; names: MatrixNames } {
  const [rows = 0, columns = 0] = tensor.dims;
  const values = floatsOf(tensor);
  const scales = new Float32Array(columns);
  const integers = new Int8Array(values.length);
  const weights = new Float32Array(rows);
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) weights[row] = values[row * columns + column] ?? 0;
    const { scale, codes } = quantisedColumn(weights);
    scales[column] = scale;
    for (let row = 0; row < rows; row++) integers[row * columns + column] = codes[row] ?? 0;
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

/**
 * A column of weights as bytes: `weights[i] ≈ scale · codes[i]`, with |codes[i]| ≤ 127 and no two neighbours whose products
 * with unsigned bytes could leave 16 bits.
 */
export function quantisedColumn(weights: Float32Array): { scale: number; codes: Int8Array } {
  let [largest, largestPair] = [0, 0];
  for (let row = 0; row < weights.length; row += 2) {
    const [first, second] = [weights[row] ?? 0, weights[row + 1] ?? 0];
    largest = Math.max(largest, Math.abs(first), Math.abs(second));
    if (first * second > 0) largestPair = Math.max(largestPair, Math.abs(first + second));
  }
  const finest = largest / LARGEST;
  if (finest === 0) return { scale: 1, codes: new Int8Array(weights.length) };
  const widest = Math.max(1, largestPair / LARGEST_PAIR / finest);
  let best: { scale: number; codes: Int8Array; loss: number } = {
    scale: 0,
    codes: new Int8Array(),
    loss: Infinity,
  };
  // One step suffices where no pair is cut at the finest.
  const tried = widest > 1 ? STEPS_TRIED : 1;
  for (let i = 0; i < tried; i++) {
    const scale = Math.fround(finest * widest ** (tried === 1 ? 0 : i / (tried - 1)));
    const codes = roundedPairs(weights, scale);
    let loss = 0;
    for (const [row, weight] of weights.entries()) loss += (weight - scale * (codes[row] ?? 0)) ** 2;
    if (loss < best.loss) best = { scale, codes, loss };
  }
  return best;
}

/** Weights in steps of `scale`; a pair that is too large gives up as much on both sides. */
function roundedPairs(weights: Float32Array, scale: number): Int8Array {
  const codes = new Int8Array(weights.length);
  const clip = (value: number) => Math.max(-LARGEST, Math.min(LARGEST, value));
  for (let row = 0; row < weights.length; row += 2) {
    let [first, second] = [clip((weights[row] ?? 0) / scale), clip((weights[row + 1] ?? 0) / scale)];
    const excess = first * second > 0 ? Math.abs(first + second) - LARGEST_PAIR : 0;
    if (excess > 0) {
      const cut = Math.min(excess / 2, Math.abs(first), Math.abs(second)) * Math.sign(first);
      [first, second] = [first - cut, second - cut];
    }
    let [a, b] = [Math.round(first), Math.round(second)];
    // Rounding can carry the sum one over: the one that was rounded up more goes back.
    if (a * b > 0 && Math.abs(a + b) > LARGEST_PAIR) {
      if (Math.abs(a) - Math.abs(first) > Math.abs(b) - Math.abs(second)) a -= Math.sign(a);
      else b -= Math.sign(b);
    }
    codes[row] = a;
    if (row + 1 < weights.length) codes[row + 1] = b;
  }
  return codes;
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
