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
export { addLabelNoise, noisePermutation, type NoiseOptions, type NoiseVariant } from './noise.ts';
