import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultTrainParameters, trainPrototypeNetwork } from '../../models/pecmae/trainer.ts';
import { float16ToFloat32, readNpy } from '../../models/tensors/index.ts';
import { official } from './official-support.ts';
import { recordParity } from './parity-table.ts';

const DIM = 64;
const TRAIN = 2000;

interface ReferenceRun {
  D: number;
  M: number;
  adaptor: boolean;
  scrambled_init: boolean;
  acc_test: number;
}

/** The reference's benchmark: 3000 points, 64 numbers each; the first 2000 train, the rest test. */
describe.skipIf(official.missing)('training against the reference’s benchmark', () => {
  const file = (name: string) => readFileSync(official.path('trainer', name));

  function benchmark() {
    const bytes = file('X_D64.npy');
    const data = bytes.subarray(bytes.length - 2 * 3000 * DIM);
    const halves = new Uint16Array(Uint8Array.from(data).buffer);
    const x = float16ToFloat32(halves);
    const y = Array.from(readNpy(file('y_D64.npy')).data, Number);
    return { x, y, classes: 1 + Math.max(...y) };
  }

  it.each([1, 3])('%i prototypes per class reach its accuracy', async (prototypesPerClass) => {
    const { x, y, classes } = benchmark();
    const { runs } = JSON.parse(file('results.json').toString()) as { runs: ReferenceRun[] };
    const reference = runs.find(
      (run) => run.D === DIM && run.M === prototypesPerClass && !run.adaptor && !run.scrambled_init,
    );
    const labels = new Uint8Array(TRAIN * classes);
    for (let row = 0; row < TRAIN; row++) labels[row * classes + (y[row] ?? 0)] = 1;
    const { network } = await trainPrototypeNetwork(
      {
        features: x.slice(0, TRAIN * DIM),
        count: TRAIN,
        dim: DIM,
        labels,
        labelNames: Array.from({ length: classes }, (_, c) => `class ${c}`),
      },
      null,
      { ...defaultTrainParameters, prototypesPerClass },
      { signal: new AbortController().signal },
    );
    const count = y.length - TRAIN;
    const logits = network.logits(x.slice(TRAIN * DIM), count);
    let right = 0;
    for (let row = 0; row < count; row++) {
      const scores = logits.subarray(row * classes, (row + 1) * classes);
      if (scores.indexOf(Math.max(...scores)) === y[TRAIN + row]) right++;
    }
    const missing = Math.max(0, (reference?.acc_test ?? NaN) - right / count);
    // Two standard errors of an accuracy of 0.88 on 1000 points.
    recordParity(
      `Trainer: accuracy short of the reference’s, ${prototypesPerClass} per class`,
      missing,
      0.02,
    );
    expect(missing).toBeLessThanOrEqual(0.02);
  });
});
