import { attributeTypes, elementTypes } from './proto.ts';
import type { AttributeMessage, Dimension, ElementType, ValueInfoMessage } from './proto.ts';

/** Attribute values: integers and floats are told apart, because ONNX does (`{ float: 1 }` is never an int). */
export type AttributeValue =
  number | boolean | string | readonly number[] | readonly string[] | { readonly float: number };
/** Named attributes of an operator call. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Describes a graph input or output; string dimensions are sizes known at run time only. */
export function valueInfo(name: string, type: ElementType, dims: readonly Dimension[]): ValueInfoMessage {
  const dim = dims.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d }));
  return { name, type: { tensorType: { elemType: elementTypes[type], shape: { dim } } } };
}

/**
 * Encodes one attribute.
 * @throws Error on a float where ONNX expects an integer.
 */
export function attribute(name: string, value: AttributeValue): AttributeMessage {
  if (typeof value === 'string') return { name, type: attributeTypes.string, s: utf8(value) };
  if (typeof value === 'boolean') return { name, type: attributeTypes.int, i: value ? 1 : 0 };
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value))
      throw new Error(`attribute ${name}: floats are written as { float: … }`);
    return { name, type: attributeTypes.int, i: value };
  }
  if ('float' in value) return { name, type: attributeTypes.float, f: value.float };
  if (isTexts(value)) return { name, type: attributeTypes.strings, strings: value.map(utf8) };
  return { name, type: attributeTypes.ints, ints: [...value] };
}

function isTexts(values: readonly number[] | readonly string[]): values is readonly string[] {
  return typeof values[0] === 'string';
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
