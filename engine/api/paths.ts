/** Which inputs of the contract name a file or folder: read off the schemas, so that no method can be forgotten. */
import * as z from 'zod';
import { contract } from './contract.ts';
import type { Method } from './contract.ts';
import { PATH_FORMAT } from './shared.ts';

interface Shape {
  format?: string;
  properties?: Record<string, Shape>;
  items?: Shape;
  additionalProperties?: Shape | boolean;
  anyOf?: Shape[];
  oneOf?: Shape[];
  allOf?: Shape[];
}

/** Steps from the input to a path: names of fields, `*` for every element. */
export type Way = readonly string[];

const known = new Map<Method, readonly Way[]>();

/** Where a method's input names files or folders. */
export function pathFields(method: Method): readonly Way[] {
  const there = known.get(method);
  if (there) return there;
  const shape = z.toJSONSchema(contract[method].input, { io: 'input', unrepresentable: 'any' }) as Shape;
  const ways = [...new Map([...waysIn(shape)].map((way) => [way.join('.'), way])).values()];
  known.set(method, ways);
  return ways;
}

/** The paths that an input names. @param input parsed by the method's schema */
export function pathsIn(method: Method, input: unknown): string[] {
  return pathFields(method).flatMap((way) => [...follow(input, way)]);
}

function* waysIn(shape: Shape, way: Way = []): Generator<Way> {
  if (shape.format === PATH_FORMAT) yield way;
  for (const choice of [...(shape.anyOf ?? []), ...(shape.oneOf ?? []), ...(shape.allOf ?? [])])
    yield* waysIn(choice, way);
  for (const [name, inside] of Object.entries(shape.properties ?? {})) yield* waysIn(inside, [...way, name]);
  if (shape.items) yield* waysIn(shape.items, [...way, '*']);
  if (typeof shape.additionalProperties === 'object')
    yield* waysIn(shape.additionalProperties, [...way, '*']);
}

function* follow(value: unknown, [step, ...rest]: Way): Generator<string> {
  if (step === undefined) {
    if (typeof value === 'string') yield value;
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const inside: unknown[] =
    step === '*'
      ? Object.values(value)
      : Object.hasOwn(value, step)
        ? [(value as Record<string, unknown>)[step]]
        : [];
  for (const next of inside) yield* follow(next, rest);
}
