import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const page = readFileSync(join(import.meta.dirname, '../../docs/official-parity.md'), 'utf8');
const rows = page
  .split('\n')
  .map((line) => /^\| (.+?) +\| +([\d.e+-]+) \| +([\d.e+-]+) \|$/.exec(line))
  .flatMap((match) =>
    match ? [{ stage: match[1] ?? '', worst: Number(match[2]), accepted: Number(match[3]) }] : [],
  );

describe('the published parity table', () => {
  it('has no stage beyond what is accepted', () => {
    expect(rows.filter(({ worst, accepted }) => !(worst <= accepted))).toEqual([]);
  });

  it.each([
    /^mel features/,
    /^EnCodecMAE v1: padded batch/,
    /^EnCodecMAE v1: window of 10 s/,
    /^EnCodecMAE v2: hidden/,
    /^Autoencoder: codes of whole and partial windows/,
    /^Denoiser: v without/,
    /^Sampler: ten steps, guidance 0/,
    /^Sampler: ten steps, guidance 1/,
    /^Sampler: ten steps, guidance 4/,
    /^Sampler: forty steps/,
    /^Sonification: sound/,
    /^Regressor: hidden/,
    /^Prototype network: p3_transformer_dropout parameters/,
    /^Prototype network: variant info_nce gradients/,
    /^Trainer/,
  ])('holds %s', (stage) => {
    expect(rows.some((row) => stage.test(row.stage))).toBe(true);
  });
});
