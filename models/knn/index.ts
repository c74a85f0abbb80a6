export { NumericError, type NumericErrorCode } from '../numerics/errors.ts';
export { checkSet, labelsetIds, takeRows, type LabelledVectors } from '../embeddings/labelled-vectors.ts';
export type { Metric, NearestRows } from '../neighbours/brute.ts';
export { nearestRows, cutNearest } from './nearest.ts';
export { predictLpKnn, voteLabelsets, type KnnOptions } from './lpknn.ts';
export { predictBrKnn, voteLabels, type BrKnnVariant } from './brknn.ts';
export { predictMlKnn, applyMlKnn } from './mlknn.ts';
export {
  classifyRows,
  knnClassifiers,
  predictKnn,
  predictManyKnn,
  type KnnClassifier,
  type KnnGridCell,
  type KnnPrediction,
  type KnnQueries,
} from './classifiers.ts';
export {
  multilabelMetrics,
  perLabelReport,
  type MultilabelMetrics,
} from '../evaluation/metrics/multilabel.ts';
export type { LabelReport } from '../evaluation/metrics/label-report.ts';
export { rankingMetrics, type RankingMetrics } from '../evaluation/metrics/ranking.ts';
export { addLabelNoise, noisePermutation, type NoiseOptions, type NoiseVariant } from './noise.ts';
