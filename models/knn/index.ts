export { ReductionError, type ReductionErrorCode } from './errors.ts';
export { checkSet, labelsetIds, type MultilabelSet } from './set.ts';
export { nearestRows, cutNearest, type Metric, type NearestRows } from './nearest.ts';
export { predictLpKnn, voteLabelsets, type KnnOptions } from './lpknn.ts';
export { predictBrKnn, voteLabels, type BrKnnVariant } from './brknn.ts';
export { predictMlKnn, applyMlKnn } from './mlknn.ts';
export { multilabelMetrics, type MultilabelMetrics } from './metrics.ts';
