import { GraphBuilder } from '../onnx/builder.ts';

/**
 * The summary of models without a summary token: the mean over the frames, as EnCodecMAE's authors use it for whole
 * clips. `hidden [batch, T, D]` → `z [batch, D]`.
 */
export function meanSummaryGraph(frames: number, dim: number): Uint8Array {
  const g = new GraphBuilder('mean-summary');
  const hidden = g.input('hidden', 'float32', ['batch', frames, dim]);
  const mean = g.reduceMean(hidden, [1], false);
  g.output('z', mean, ['batch', dim]);
  return g.build();
}
