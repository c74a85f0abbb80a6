import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { guide, mix, predict, schedule, step } from '../../models/pecmae/sampler.ts';
import { readFloat32Npy, readSafetensors } from '../../models/tensors/index.ts';
import { sharedFolder } from '../support/shared.ts';

const folder = sharedFolder('golden/pecmae/diffae');
/** Given with the golden data: ten times the float32 noise of 40 steps. */
const TOLERANCE = 5e-5;

describe.skipIf(folder.missing)('diffusion sampler against the reference implementation', () => {
  const read = (name: string) => readFileSync(folder.path(name));
  const tensor = (name: string): Float32Array => {
    const data = readSafetensors(read('sample_s10_g4_breakdown.safetensors')).tensors.get(name)?.data;
    if (!(data instanceof Float32Array)) throw new Error(`no float32 tensor ${name}`);
    return data;
  };
  const rows = (name: string, row: number, length: number) =>
    readFloat32Npy(read(name)).data.subarray(row * length, (row + 1) * length);
  const length = 30 * 16;
  const noise = () => rows('noise.npy', 0, length);

  it('has the schedule of ten steps', () => {
    const levels = schedule(10);
    expectClose(levels.sigmas, tensor('sigmas'), 1e-7);
    expectClose(levels.alphas, tensor('alphas'), 1e-7);
    expectClose(levels.betas, tensor('betas'), 1e-7);
  });

  it.each([
    { index: 0, start: () => noise() },
    { index: 1, start: () => tensor('s0.x_next') },
  ])('does step $index of ten with guidance 4', ({ index, start }) => {
    const levels = schedule(10);
    const at = (values: Float32Array, i: number) => values[i] ?? NaN;
    const v = guide(tensor(`s${index}.v_cond`), tensor(`s${index}.v_uncond`), 4);
    expectClose(v, tensor(`s${index}.v_guided`));
    const { signal, noise: error } = predict(start(), v, at(levels.alphas, index), at(levels.betas, index));
    expectClose(signal, tensor(`s${index}.x_pred`));
    expectClose(error, tensor(`s${index}.noise_pred`));
    const next = mix(signal, error, at(levels.alphas, index + 1), at(levels.betas, index + 1));
    expectClose(next, tensor(`s${index}.x_next`));
    expect(step(start(), v, levels, index)).toEqual(next);
    expectClose(next, rows('sample_s10_g4_steps.npy', index, length));
  });

  it.each([0, 1])('does the first step with guidance %i', (guidance) => {
    // The first step starts from the same noise whatever the guidance, so the recorded velocities serve all three.
    const v = guide(tensor('s0.v_cond'), tensor('s0.v_uncond'), guidance);
    expectClose(step(noise(), v, schedule(10), 0), rows(`sample_s10_g${guidance}_steps.npy`, 0, length));
  });
});

function expectClose(actual: Float32Array, expected: Float32Array, tolerance = TOLERANCE): void {
  expect(actual.length).toBe(expected.length);
  const difference = actual.reduce(
    (largest, value, i) => Math.max(largest, Math.abs(value - (expected[i] ?? NaN))),
    0,
  );
  expect(difference).toBeLessThanOrEqual(tolerance);
}
