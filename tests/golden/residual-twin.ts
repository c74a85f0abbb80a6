import type { TensorSource } from '../../models/checkpoint/index.ts';

/**
 * The ResiDual transformer in plain double precision, straight from the checkpoint's layout: slow, for windows that the
 * golden data does not have. It is itself held against the golden data.
 * @param x `[T, D]`
 */
export async function residualTwin(
  source: TensorSource,
  x: Float64Array,
  { dim, heads }: { dim: number; heads: number },
): Promise<Float64Array> {
  let [x0, x1] = [x, x];
  for (let i = 0; source.has(`encoder_layers.${i}.norm1.weight`); i++) {
    const layer = source.under(`encoder_layers.${i}`);
    const project = async (from: Float64Array, name: string) =>
      linear(from, dim, await layer.read(`att_layer.${name}.weight`), null);
    const [q, k, v] = [await project(x0, 'wq'), await project(x0, 'wk'), await project(x0, 'wv')];
    const a = await project(attend(q, k, v, dim, heads), 'wo');
    x0 = await norm(layer.under('norm1'), sum(x0, a), dim);
    x1 = sum(x1, a);
    const part = async (from: Float64Array, width: number, name: string) =>
      linear(
        from,
        width,
        await layer.read(`ff_layer.${name}.weight`),
        await layer.read(`ff_layer.${name}.bias`),
      );
    const inner = (await part(x0, dim, '0')).map((value) => Math.max(0, value));
    const f = await part(inner, (inner.length / x0.length) * dim, '2');
    x0 = await norm(layer.under('norm2'), sum(x0, f), dim);
    x1 = sum(x1, f);
  }
  return sum(x0, await norm(source.under('final_norm'), x1, dim));
}

/** EnCodecMAE v1 from frame features `[T, F]`: projection, positions, transformer. */
export async function encoderTwin(
  source: TensorSource,
  features: Float32Array,
  sizes: { dim: number; heads: number; features: number },
): Promise<Float64Array> {
  const { dim } = sizes;
  const [weight, bias] = [
    await source.read('feat_projector.weight'),
    await source.read('feat_projector.bias'),
  ];
  const scale = (await source.read('positional_encoder.scale'))[0] ?? NaN;
  const placed = linear(Float64Array.from(features), sizes.features, weight, bias).map((value, at) => {
    const column = at % dim;
    const angle = Math.floor(at / dim) * 10_000 ** (-(column - (column % 2)) / dim);
    return value + scale * (column % 2 === 0 ? Math.sin(angle) : Math.cos(angle));
  });
  return residualTwin(source.under('visible_encoder'), placed, sizes);
}

function linear(
  x: Float64Array,
  width: number,
  weight: Float32Array,
  bias: Float32Array | null,
): Float64Array {
  const [rows, columns] = [x.length / width, weight.length / width];
  const result = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let total = bias?.[column] ?? 0;
      for (let i = 0; i < width; i++)
        total += (x[row * width + i] ?? NaN) * (weight[column * width + i] ?? NaN);
      result[row * columns + column] = total;
    }
  return result;
}

/** Channel c belongs to head `c mod H`. */
function attend(q: Float64Array, k: Float64Array, v: Float64Array, dim: number, heads: number): Float64Array {
  const [frames, size] = [q.length / dim, dim / heads];
  const result = new Float64Array(q.length);
  for (let h = 0; h < heads; h++)
    for (let t = 0; t < frames; t++) {
      const weights = new Float64Array(frames);
      for (let s = 0; s < frames; s++) {
        let score = 0;
        for (let c = h; c < dim; c += heads) score += (q[t * dim + c] ?? NaN) * (k[s * dim + c] ?? NaN);
        weights[s] = Math.exp(score / Math.sqrt(size));
      }
      const total = weights.reduce((a, b) => a + b, 0);
      for (let s = 0; s < frames; s++)
        for (let c = h; c < dim; c += heads)
          result[t * dim + c] =
            (result[t * dim + c] ?? 0) + ((weights[s] ?? NaN) / total) * (v[s * dim + c] ?? NaN);
    }
  return result;
}

async function norm(source: TensorSource, x: Float64Array, dim: number): Promise<Float64Array> {
  const [weight, bias] = [await source.read('weight'), await source.read('bias')];
  const result = new Float64Array(x.length);
  for (let row = 0; row < x.length; row += dim) {
    const part = x.subarray(row, row + dim);
    const mean = part.reduce((a, b) => a + b, 0) / dim;
    const variance = part.reduce((total, value) => total + (value - mean) ** 2, 0) / dim;
    part.forEach((value, i) => {
      result[row + i] = ((value - mean) / Math.sqrt(variance + 1e-5)) * (weight[i] ?? NaN) + (bias[i] ?? NaN);
    });
  }
  return result;
}

function sum(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + (b[i] ?? NaN));
}
