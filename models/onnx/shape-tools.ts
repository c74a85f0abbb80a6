import type { Attributes } from './messages.ts';
import type { Dimension } from './proto.ts';

/** Sizes of a value, or null where inference does not know them. */
export type Shape = readonly Dimension[] | null;

/** An operator's input as inference sees it. */
export interface Shaped {
  readonly shape: Shape;
  /** Contents of a constant int64 vector, such as the target of Reshape. */
  readonly constant?: readonly number[] | undefined;
}

/** One operator call: absent optional inputs are null. */
export interface Call {
  readonly inputs: readonly (Shaped | null)[];
  readonly attributes: Attributes;
  /** Makes a name for a size that is known at run time only. */
  readonly fresh: () => string;
}

/** Sizes, each a number or a name. */
export type Known = readonly Dimension[];
/** Applies a rule where the sizes are known. */
export function withShape(input: Shaped | null | undefined, rule: (shape: Known) => Shape): Shape {
  return input?.shape ? rule(input.shape) : null;
}

/** Sizes of input `i`; unknown when it is absent. */
export function shapeOf(inputs: readonly (Shaped | null)[], i: number): Shape {
  return inputs[i]?.shape ?? null;
}

/** Product of the sizes, or null when one of them is known at run time only. */
export function count(shape: Shape): number | null {
  return (
    shape?.reduce<number | null>((n, d) => (n === null || typeof d === 'string' ? null : n * d), 1) ?? null
  );
}

/** @throws Error when two known sizes differ. */
export function same(a: Dimension, b: Dimension, nameA: string, nameB: string): void {
  if (typeof a === 'number' && typeof b === 'number' && a !== b)
    throw new Error(`${nameA} (${a}) and ${nameB} (${b}) differ`);
}

/** The size of an axis, from the end when negative. @throws Error when there is none. */
export function at(shape: Known, axis: number): Dimension {
  const size = shape.at(axis);
  if (size === undefined) throw new Error(`[${shape.join(', ')}] has no axis ${axis}`);
  return size;
}

/** An axis counted from the front. @throws Error when there is none. */
export function axisOf(axis: unknown, rank: number): number {
  const value = Number(axis);
  if (value < -rank || value >= rank) throw new Error(`axis ${value} of ${rank}`);
  return value < 0 ? value + rank : value;
}

/** An attribute that is a list. */
export function numbers(value: unknown): readonly number[] | undefined {
  return Array.isArray(value) ? (value as readonly number[]) : undefined;
}

/** An attribute that is a number. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** An attribute that is a flag. */
export function isSet(flag: unknown): boolean {
  return flag === true || flag === 1;
}
