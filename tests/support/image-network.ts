import { writeFileSync } from 'node:fs';
import { Random } from '../../models/numerics/random.ts';
import { GraphBuilder } from '../../models/onnx/builder.ts';

/** What stands beside {@link imageGraph}. */
export const imageCard = {
  ...{ schema: 'archetone.image/1', name: 'Random pixels', input: 'x', output: 'y' },
  ...{ width: 16, height: 16, layout: 'nchw' },
};

/** The mean colour of 16 × 16 pixels, in random directions. */
export function imageGraph(seed: number): Uint8Array {
  const g = new GraphBuilder('pictures');
  const x = g.reshape(g.input('x', 'float32', [1, 3, 16, 16]), [1, 768]);
  const directions = new Random(seed).normals(3 * 24);
  const weights = Float32Array.from(
    { length: 768 * 24 },
    (_, i) => (directions[Math.floor(i / (256 * 24)) * 24 + (i % 24)] ?? 0) / 256,
  );
  g.output('y', g.matMul(x, g.floats(weights, [768, 24])), [1, 24]);
  return g.build();
}

/** An image network with its JSON beside it. @param path ends in .onnx */
export function writeImageNetwork(path: string, seed = 1): void {
  writeFileSync(path, imageGraph(seed));
  writeFileSync(path.replace('.onnx', '.json'), JSON.stringify(imageCard));
}
