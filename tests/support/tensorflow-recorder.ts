import { Random } from '../../models/numerics/random.ts';
import type { Attribute, Node } from './tensorflow-writer.ts';

/** A value of a recorded graph, and what it is for the input at hand. */
export interface Recorded {
  name: string;
  /** Channels last. */
  shape: readonly number[];
  data: Float64Array;
}

interface LayerOptions {
  name: string;
  stride?: readonly [number, number];
  padding?: 'SAME' | 'VALID';
}

/**
 * Writes down a TensorFlow graph with random weights, and computes it at once in double precision, number by number: a twin
 * that shares nothing with what is tested.
 */
export class Recorder {
  readonly nodes: Node[] = [];
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  input(name: string, data: Float32Array, shape: readonly number[]): Recorded {
    this.nodes.push({
      name,
      op: 'Placeholder',
      inputs: [],
      attributes: { dtype: { type: 'DT_FLOAT' }, shape: { shape: [-1, ...shape.slice(1)] } },
    });
    return { name, shape, data: Float64Array.from(data) };
  }

  floats(name: string, shape: readonly number[], spread: number, middle = 0): Recorded {
    const count = shape.reduce((a, b) => a * b, 1);
    const data = this.#random.normals(count).map((value) => middle + spread * value);
    const attributes: Record<string, Attribute> = {
      dtype: { type: 'DT_FLOAT' },
      value: { tensor: { type: 'DT_FLOAT', shape, data } },
    };
    this.nodes.push({ name, op: 'Const', inputs: [], attributes });
    return { name, shape, data: Float64Array.from(data) };
  }

  integers(name: string, data: readonly number[], shape: readonly number[] = [data.length]): string {
    const tensor = { type: 'DT_INT32', shape, data } as const;
    this.nodes.push({
      name,
      op: 'Const',
      inputs: [],
      attributes: { dtype: { type: 'DT_INT32' }, value: { tensor } },
    });
    return name;
  }

  node(
    op: string,
    name: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
  ): string {
    this.nodes.push({ name, op, inputs, attributes });
    return name;
  }

  /** A convolution, of each channel by itself where `depthwise`. */
  conv(
    x: Recorded,
    height: number,
    width: number,
    out: number,
    options: LayerOptions & { depthwise?: boolean },
  ): Recorded {
    const { name, stride = [1, 1], padding = 'SAME', depthwise = false } = options;
    const [batch = 1, rows = 1, columns = 1, channels = 1] = x.shape;
    const many = depthwise ? 1 : out;
    const kernel = this.floats(
      `${name}/kernel`,
      [height, width, channels, many],
      1 / Math.sqrt(height * width * (depthwise ? 1 : channels)),
    );
    this.node(depthwise ? 'DepthwiseConv2dNative' : 'Conv2D', name, [x.name, kernel.name], {
      strides: { ints: [1, ...stride, 1] },
      padding: { s: padding },
      data_format: { s: 'NHWC' },
    });
    const [top, outRows] = edge(rows, height, stride[0], padding);
    const [left, outColumns] = edge(columns, width, stride[1], padding);
    const outChannels = depthwise ? channels : out;
    const data = new Float64Array(batch * outRows * outColumns * outChannels);
    let at = 0;
    for (let b = 0; b < batch; b++)
      for (let r = 0; r < outRows; r++)
        for (let c = 0; c < outColumns; c++)
          for (let o = 0; o < outChannels; o++, at++) {
            let sum = 0;
            for (let i = 0; i < height; i++) {
              const row = r * stride[0] - top + i;
              if (row < 0 || row >= rows) continue;
              for (let j = 0; j < width; j++) {
                const column = c * stride[1] - left + j;
                if (column < 0 || column >= columns) continue;
                const from = ((b * rows + row) * columns + column) * channels;
                const weights = (i * width + j) * channels;
                if (depthwise) sum += (x.data[from + o] ?? NaN) * (kernel.data[weights + o] ?? NaN);
                else
                  for (let k = 0; k < channels; k++)
                    sum += (x.data[from + k] ?? NaN) * (kernel.data[(weights + k) * out + o] ?? NaN);
              }
            }
            data[at] = sum;
          }
    return { name, shape: [batch, outRows, outColumns, outChannels], data };
  }

  maxPool(
    x: Recorded,
    size: readonly [number, number],
    { name, padding = 'SAME', stride = size }: LayerOptions,
  ): Recorded {
    this.node('MaxPool', name, [x.name], {
      ksize: { ints: [1, ...size, 1] },
      strides: { ints: [1, ...stride, 1] },
      padding: { s: padding },
      data_format: { s: 'NHWC' },
    });
    const [batch = 1, rows = 1, columns = 1, channels = 1] = x.shape;
    const [top, outRows] = edge(rows, size[0], stride[0], padding);
    const [left, outColumns] = edge(columns, size[1], stride[1], padding);
    const data = new Float64Array(batch * outRows * outColumns * channels).fill(-Infinity);
    for (let b = 0; b < batch; b++)
      for (let r = 0; r < outRows; r++)
        for (let c = 0; c < outColumns; c++)
          for (let i = 0; i < size[0] * size[1]; i++) {
            const row = r * stride[0] - top + Math.floor(i / size[1]);
            const column = c * stride[1] - left + (i % size[1]);
            if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
            for (let k = 0; k < channels; k++) {
              const at = ((b * outRows + r) * outColumns + c) * channels + k;
              data[at] = Math.max(
                data[at] ?? 0,
                x.data[((b * rows + row) * columns + column) * channels + k] ?? NaN,
              );
            }
          }
    return { name, shape: [batch, outRows, outColumns, channels], data };
  }

  bias(x: Recorded, name: string): Recorded {
    const bias = this.floats(`${name}/bias`, [x.shape.at(-1) ?? 1], 0.1);
    this.node('BiasAdd', name, [x.name, bias.name]);
    return { ...x, name, data: x.data.map((value, i) => value + (bias.data[i % bias.data.length] ?? NaN)) };
  }

  batchNorm(x: Recorded, name: string): Recorded {
    const [width] = [x.shape.at(-1) ?? 1];
    const parts = ['gamma', 'beta', 'mean', 'variance'].map((part, i) =>
      this.floats(`${name}/${part}`, [width], i === 3 ? 0.05 : 0.2, i === 1 || i === 2 ? 0 : 1),
    );
    this.node('FusedBatchNormV3', name, [x.name, ...parts.map((part) => part.name)], {
      epsilon: { f: 0.001 },
      is_training: { b: false },
      data_format: { s: 'NHWC' },
    });
    const part = (which: number, i: number) => parts[which]?.data[i % width] ?? NaN;
    const data = x.data.map(
      (value, i) => ((value - part(2, i)) / Math.sqrt(part(3, i) + 0.001)) * part(0, i) + part(1, i),
    );
    return { ...x, name, data };
  }

  unary(op: string, x: Recorded, name: string, of: (value: number) => number): Recorded {
    this.node(op, name, [x.name]);
    return { ...x, name, data: x.data.map(of) };
  }

  relu = (x: Recorded, name: string): Recorded => this.unary('Relu', x, name, (value) => Math.max(0, value));
  sigmoid = (x: Recorded, name: string): Recorded =>
    this.unary('Sigmoid', x, name, (value) => 1 / (1 + Math.exp(-value)));

  /** Of two values of one size, or of one and one number for each channel and item. */
  binary(op: 'AddV2' | 'Mul', a: Recorded, b: Recorded, name: string): Recorded {
    this.node(op, name, [a.name, b.name]);
    const [batch = 1] = a.shape;
    const channels = a.shape.at(-1) ?? 1;
    const each = a.data.length / batch;
    const other = (i: number) =>
      b.data.length === a.data.length ? b.data[i] : b.data[Math.floor(i / each) * channels + (i % channels)];
    return {
      ...a,
      name,
      data: a.data.map((value, i) => (op === 'Mul' ? value * (other(i) ?? NaN) : value + (other(i) ?? NaN))),
    };
  }

  /** The mean or the largest over height and width, or only over the width. */
  reduce(
    op: 'Mean' | 'Max',
    x: Recorded,
    axes: readonly [1, 2] | readonly [2],
    name: string,
    keep: boolean,
  ): Recorded {
    this.integers(`${name}/axes`, axes);
    this.node(op, name, [x.name, `${name}/axes`], { keep_dims: { b: keep } });
    const [batch = 1, rows = 1, columns = 1, channels = 1] = x.shape;
    const kept = axes.length === 2 ? 1 : rows;
    const data = new Float64Array(batch * kept * channels).fill(op === 'Max' ? -Infinity : 0);
    const count = op === 'Mean' ? columns * (axes.length === 2 ? rows : 1) : 1;
    for (let b = 0; b < batch; b++)
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++)
          for (let k = 0; k < channels; k++) {
            const value = x.data[((b * rows + r) * columns + c) * channels + k] ?? NaN;
            const at = (b * kept + (kept === 1 ? 0 : r)) * channels + k;
            data[at] = op === 'Max' ? Math.max(data[at] ?? 0, value) : (data[at] ?? 0) + value / count;
          }
    const rest = axes.length === 2 ? (keep ? [1, 1] : []) : keep ? [rows, 1] : [rows];
    return { name, shape: [batch, ...rest, channels], data };
  }

  dense(x: Recorded, out: number, name: string): Recorded {
    const [batch = 1, width = 1] = x.shape;
    const kernel = this.floats(`${name}/kernel`, [width, out], 1 / Math.sqrt(width));
    this.node('MatMul', `${name}/MatMul`, [x.name, kernel.name], {
      transpose_a: { b: false },
      transpose_b: { b: false },
    });
    const data = new Float64Array(batch * out);
    for (let b = 0; b < batch; b++)
      for (let o = 0; o < out; o++)
        for (let i = 0; i < width; i++)
          data[b * out + o] =
            (data[b * out + o] ?? 0) + (x.data[b * width + i] ?? NaN) * (kernel.data[i * out + o] ?? NaN);
    return this.bias({ name: `${name}/MatMul`, shape: [batch, out], data }, `${name}/BiasAdd`);
  }

  /** As Keras flattens: the batch is read off the value, and the rest counted. */
  flatten(x: Recorded, name: string): Recorded {
    const [batch = 1, ...rest] = x.shape;
    const width = rest.reduce((a, b) => a * b, 1);
    this.node('Shape', `${name}/Shape`, [x.name]);
    const ends = [0, 1, 1].map((value, i) => this.integers(`${name}/stack_${i}`, [value]));
    this.node('StridedSlice', `${name}/strided_slice`, [`${name}/Shape`, ...ends], {
      shrink_axis_mask: { i: 1 },
    });
    this.integers(`${name}/width`, [width], []);
    this.node('Pack', `${name}/Reshape/shape`, [`${name}/strided_slice`, `${name}/width`], {
      axis: { i: 0 },
    });
    this.node('Reshape', name, [x.name, `${name}/Reshape/shape`]);
    return { name, shape: [batch, width], data: x.data };
  }

  concat(parts: readonly Recorded[], name: string): Recorded {
    this.integers(`${name}/axis`, [-1], []);
    this.node('ConcatV2', name, [...parts.map((part) => part.name), `${name}/axis`]);
    const widths = parts.map(({ shape }) => shape.at(-1) ?? 1);
    const width = widths.reduce((a, b) => a + b, 0);
    const rows = (parts[0]?.data.length ?? 0) / (widths[0] ?? 1);
    const data = new Float64Array(rows * width);
    for (let row = 0; row < rows; row++) {
      let at = row * width;
      parts.forEach((part, i) => {
        const each = widths[i] ?? 1;
        data.set(part.data.subarray(row * each, (row + 1) * each), at);
        at += each;
      });
    }
    return { name, shape: [...(parts[0]?.shape.slice(0, -1) ?? []), width], data };
  }

  expand(x: Recorded, axis: number, name: string): Recorded {
    this.integers(`${name}/dim`, [axis], []);
    this.node('ExpandDims', name, [x.name, `${name}/dim`]);
    const at = axis < 0 ? x.shape.length + 1 + axis : axis;
    return { ...x, name, shape: x.shape.toSpliced(at, 0, 1) };
  }

  /** Zeros before and after the rows. */
  padRows(x: Recorded, by: number, name: string): Recorded {
    this.integers(`${name}/paddings`, [0, 0, by, by, 0, 0, 0, 0], [4, 2]);
    this.node('Pad', name, [x.name, `${name}/paddings`]);
    const [batch = 1, rows = 1, columns = 1, channels = 1] = x.shape;
    const size = columns * channels;
    const data = new Float64Array(batch * (rows + 2 * by) * size);
    for (let b = 0; b < batch; b++)
      data.set(x.data.subarray(b * rows * size, (b + 1) * rows * size), (b * (rows + 2 * by) + by) * size);
    return { name, shape: [batch, rows + 2 * by, columns, channels], data };
  }
}

/** How much is padded before, and what size comes out. */
function edge(
  size: number,
  kernel: number,
  stride: number,
  padding: 'SAME' | 'VALID',
): [before: number, out: number] {
  if (padding === 'VALID') return [0, Math.floor((size - kernel) / stride) + 1];
  const out = Math.ceil(size / stride);
  return [Math.floor(Math.max(0, (out - 1) * stride + kernel - size) / 2), out];
}
