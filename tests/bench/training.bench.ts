/**
 * Training steps per second of the prototype network on ONNX Runtime. Where ARCHETONE_PYTHON names a Python with
 * PyTorch, the same step (forward, backward, Adam, one-cycle schedule) is timed there in the same run, on one thread too.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { defaultTrainParameters, trainPrototypeNetwork } from '../../models/pecmae/trainer.ts';
import { Random } from '../../models/numerics/random.ts';

const shape = { windows: 2000, dim: 256, classes: 12, steps: 1500 };

/** Prints steps per second, and the ratio to the peer. */
export async function run(): Promise<void> {
  const { windows, dim, classes, steps } = shape;
  const labels = new Uint8Array(windows * classes);
  for (let row = 0; row < windows; row++) labels[row * classes + (row % classes)] = 1;
  const training = {
    features: new Random(1).normals(windows * dim),
    count: windows,
    dim,
    labels,
    labelNames: Array.from({ length: classes }, (_, index) => `class ${index}`),
  };
  const parameters = { ...defaultTrainParameters, steps };
  const signal = new AbortController().signal;
  const times: number[] = [];
  await trainPrototypeNetwork(training, null, parameters, {
    signal,
    onProgress: () => times.push(performance.now()),
  });
  // From the first report to the last: k-means and the making of the graph are not steps.
  const [first, last] = [times[0] ?? 0, times.at(-1) ?? 0];
  const share = (times.length - 1) / times.length;
  const ours = (1000 * steps * share) / (last - first);
  console.log(
    `${windows} windows × ${dim}, ${classes} × ${parameters.prototypesPerClass} prototypes, batch ${parameters.batchSize}`,
  );
  console.log(`ONNX Runtime from Node: ${ours.toFixed(0)} steps/s`);
  const python = process.env['ARCHETONE_PYTHON'];
  if (!python) {
    console.log('set ARCHETONE_PYTHON to a Python with PyTorch to see it beside');
    return;
  }
  const { stdout } = await promisify(execFile)(python, [
    join(import.meta.dirname, 'peer_training.py'),
    JSON.stringify({ ...shape, prototypes: parameters.prototypesPerClass, batch: parameters.batchSize }),
  ]);
  const peer = Number(stdout);
  console.log(`PyTorch eager: ${peer.toFixed(0)} steps/s, ratio ${(ours / peer).toFixed(2)}`);
}
