export { fitPca, PcaProjection } from './pca.ts';
export { fitUmap, smallestUmap, UmapProjection, type UmapOptions } from './umap.ts';
export { projectionTrust, trustOfPoints } from './trust.ts';
export { neighbourGraph, type NeighbourGraph } from './neighbour-graph.ts';
export type { ProjectOptions, Projection } from './types.ts';
