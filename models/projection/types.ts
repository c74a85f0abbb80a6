/** Where every vector lands on the map. */
export interface Projection {
  /** `[n]`, no unit. */
  x: Float32Array;
  /** `[n]`, no unit. */
  y: Float32Array;
}

/** How a projection is controlled. */
export interface ProjectOptions {
  signal?: AbortSignal | undefined;
  /** Fraction done in 0..1. */
  onProgress?: (fraction: number) => void;
}
