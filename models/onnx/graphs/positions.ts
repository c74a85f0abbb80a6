import { GraphBuildError } from '../errors.ts';
import type { Value } from '../builder.ts';
import type { Weights } from '../weights.ts';

const LONGEST_WAVE = 10_000;

/**
 * Sinusoidal positions `[frames, dim]` (Vaswani et al. 2017): sine in the even, cosine in the odd columns, from frame 0.
 * Angles are rounded to float32 where PyTorch rounds them: at frame 750 the difference would reach 4e-5.
 */
function sinusoidalPositions(frames: number, dim: number): Float32Array {
  const exponent = Math.fround(-Math.log(LONGEST_WAVE) / dim);
  const frequencies = Float32Array.from({ length: Math.ceil(dim / 2) }, (_, i) =>
    Math.exp(Math.fround(2 * i * exponent)),
  );
  return Float32Array.from({ length: frames * dim }, (_, at) => {
    const column = at % dim;
    const angle = Math.fround(Math.floor(at / dim) * (frequencies[column >> 1] ?? NaN));
    return column % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
}

/**
 * `x [B, T, D]` plus positions times the learned scalar `scale` of the checkpoint.
 * @param name of the scale, such as `positional_encoder.scale`
 */
export async function addPositions(weights: Weights, x: Value, name: string): Promise<Value> {
  const [, frames, dim] = x.shape ?? [];
  if (typeof frames !== 'number' || typeof dim !== 'number')
    throw new GraphBuildError(x.name, 'positions need a known number of frames and columns');
  const positions = await weights.derive(`.positions${frames}`, [name], [frames, dim], ([scale = NaN]) =>
    sinusoidalPositions(frames, dim).map((value) => scale * value),
  );
  return weights.graph.add(x, positions);
}
