/** Row-major vectors of either precision; distances are always computed in float64. */
export type Vectors = Float32Array | Float64Array;

/**
 * Element of a typed array at an index the caller's loop bounds guarantee, which `noUncheckedIndexedAccess` cannot
 * see. A fallback such as `?? NaN` would keep the compiler from holding the value as a plain double: measured up to
 * thirty times slower in the k-means loop. Out of range, arithmetic gives NaN all the same.
 */
export function at(values: ArrayLike<number>, index: number): number {
  return values[index] as number;
}
