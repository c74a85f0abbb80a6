export { fitPca, PcaProjection } from './pca.ts';
export { fitUmap, smallestUmap, UmapProjection, type UmapOptions } from './umap.ts';
export { projectionTrust } from './trust.ts';
export type { ProjectOptions, Projection } from './types.ts';
