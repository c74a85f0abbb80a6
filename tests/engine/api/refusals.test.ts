import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { contract } from '../../../engine/api/contract.ts';
import type { EngineClient, Method } from '../../../engine/api/contract.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import { startTestEngine } from '../../support/engine.ts';

/** The parts of a JSON schema that zod writes for the contract. */
interface Schema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  propertyNames?: Schema;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  default?: unknown;
}

const methods = Object.keys(contract) as Method[];
const schemaOf = (method: Method): Schema =>
  z.toJSONSchema(contract[method].input, { io: 'input', unrepresentable: 'throw' }) as Schema;

const choices = (schema: Schema): Schema[] => schema.anyOf ?? schema.oneOf ?? [];

/** A value that the schema accepts, as small as it can be. */
function accepted(schema: Schema): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const [first] = choices(schema);
  if (first) return accepted(first);
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((key) => [key, accepted(schema.properties?.[key] ?? {})]),
      );
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => accepted(schema.items ?? {}));
    case 'string':
      return 'a'.repeat(Math.max(1, schema.minLength ?? 1));
    case 'number':
    case 'integer':
      return schema.default ?? between(schema);
    case 'boolean':
      return false;
    case 'null':
      return null;
    default:
      throw new Error(`what is ${JSON.stringify(schema)}?`);
  }
}

function between({
  minimum,
  exclusiveMinimum = minimum,
  maximum,
  exclusiveMaximum = maximum,
  type,
}: Schema): number {
  const low = exclusiveMinimum ?? 0;
  const high = exclusiveMaximum ?? low + 2;
  return type === 'integer' ? Math.ceil(low) + (minimum === undefined ? 1 : 0) : (low + high) / 2;
}

/** Values that the schema must not accept, each with the way to it. */
function* refused(schema: Schema, path = 'input'): Generator<{ path: string; value: unknown }> {
  const options = choices(schema);
  if (options.length > 0) {
    const types = new Set(options.map((option) => option.type));
    for (const value of [undefined, 12.5, 'no such choice', { kind: 'no such choice' }, [[]]]) {
      const type = Array.isArray(value) ? 'array' : typeof value;
      // A choice of that type may take it; that choice's own bounds follow.
      if (
        type === 'object'
          ? !types.has('object') || options.every((o) => o.properties?.['kind'])
          : !types.has(type)
      )
        yield { path: `${path}: none of the choices`, value };
    }
    for (const [i, option] of options.entries()) yield* deepOnly(option, `${path}|${i}`);
    return;
  }
  yield { path: `${path}: left out`, value: undefined };
  yield { path: `${path}: a big integer`, value: 1n };
  yield* deepOnly(schema, path);
}

function* deepOnly(schema: Schema, path: string): Generator<{ path: string; value: unknown }> {
  if (schema.const !== undefined || schema.enum) {
    yield { path: `${path}: not in the list`, value: '\u0000' };
    return;
  }
  switch (schema.type) {
    case 'object': {
      const base = accepted(schema) as Record<string, unknown>;
      yield { path: `${path}: not an object`, value: 'text' };
      yield { path: `${path}: a list`, value: [] };
      if (schema.additionalProperties === false)
        yield { path: `${path}: one property too many`, value: { ...base, unheardOf: 1 } };
      for (const [key, property] of Object.entries(schema.properties ?? {}))
        for (const { path: where, value } of refused(property, `${path}.${key}`)) {
          // Left out is fine where there is a default.
          if (value === undefined && !schema.required?.includes(key)) continue;
          yield { path: where, value: { ...base, [key]: value } };
        }
      break;
    }
    case 'array': {
      const items = schema.items ?? {};
      yield { path: `${path}: not a list`, value: 'text' };
      yield { path: `${path}: too long`, value: new Array((schema.maxItems ?? 0) + 1).fill(accepted(items)) };
      if (schema.minItems) yield { path: `${path}: empty`, value: [] };
      for (const { path: where, value } of refused(items, `${path}[]`)) yield { path: where, value: [value] };
      break;
    }
    case 'string':
      yield { path: `${path}: a number`, value: 5 };
      yield { path: `${path}: too long`, value: 'a'.repeat((schema.maxLength ?? 100_000) + 1) };
      if (schema.minLength) yield { path: `${path}: empty`, value: '' };
      if (schema.pattern !== undefined) yield { path: `${path}: not of the pattern`, value: '../etc' };
      break;
    case 'number':
    case 'integer': {
      const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
      for (const value of ['1', NaN, Infinity, -Infinity]) yield { path: `${path}: ${value}`, value };
      if (schema.type === 'integer') yield { path: `${path}: a fraction`, value: (minimum ?? 0) + 0.5 };
      if (minimum !== undefined) yield { path: `${path}: too small`, value: minimum - 1 };
      if (maximum !== undefined) yield { path: `${path}: too large`, value: maximum + 1 };
      if (exclusiveMinimum !== undefined)
        yield { path: `${path}: at the lower end`, value: exclusiveMinimum };
      if (exclusiveMaximum !== undefined)
        yield { path: `${path}: at the upper end`, value: exclusiveMaximum };
      break;
    }
    case 'boolean':
      yield { path: `${path}: text`, value: 'true' };
      break;
  }
}

/** Every text and every list in a schema that has no bound. */
function* unbounded(schema: Schema, path: string): Generator<string> {
  if (schema.const !== undefined || schema.enum) return;
  for (const [i, option] of choices(schema).entries()) yield* unbounded(option, `${path}|${i}`);
  if (
    schema.type === 'string' &&
    schema.maxLength === undefined &&
    !/\{\d+,\d+\}\$$/.test(schema.pattern ?? '')
  )
    yield path;
  if (schema.type === 'array') {
    if (schema.maxItems === undefined) yield path;
    yield* unbounded(schema.items ?? {}, `${path}[]`);
  }
  for (const [key, property] of Object.entries(schema.properties ?? {}))
    yield* unbounded(property, `${path}.${key}`);
  if (typeof schema.additionalProperties === 'object') {
    yield* unbounded(schema.propertyNames ?? {}, `${path}{}`);
    yield* unbounded(schema.additionalProperties, `${path}.*`);
  }
}

async function outcome(client: EngineClient, method: Method, input: unknown): Promise<unknown> {
  try {
    if (contract[method].kind === 'query')
      return { answer: await client.call(method as never, input as never) };
    const stop = new AbortController();
    const answers = client
      .stream(method as never, input as never, { signal: stop.signal })
      [Symbol.asyncIterator]();
    // What is refused is refused at once; what runs is not waited for.
    setTimeout(() => stop.abort(), 200);
    return { answer: await answers.next() };
  } catch (thrown) {
    return thrown;
  }
}

let client: EngineClient;
beforeAll(async () => {
  ({ client } = await startTestEngine());
});

describe('the contract', () => {
  it('bounds every text and every list', () => {
    expect(methods.flatMap((method) => [...unbounded(schemaOf(method), method)])).toEqual([]);
  });

  it('refuses at once a list of millions that it would only check one by one', async () => {
    const began = process.cpuUsage();
    await expect(
      client.call('labels.set', { libraryId: 'a', taxonomyId: 'b', changes: new Array<never>(5_000_000) }),
    ).rejects.toMatchObject({ code: 'bad-input' });
    expect(process.cpuUsage(began).user / 1e6).toBeLessThan(2);
  });

  it.each(methods)('%s refuses bad input with its name, whatever is bad about it', async (method) => {
    const schema = schemaOf(method);
    const cases = [...refused(schema)];
    expect(cases.length).toBeGreaterThan(2);
    for (const { path, value } of cases) {
      const answer = await outcome(client, method, value);
      expect(answer, path).toBeInstanceOf(EngineError);
      expect(answer, path).toMatchObject({
        code: 'bad-input',
        message: expect.stringContaining(method) as string,
      });
    }
  });

  it.each(methods)(
    '%s answers what names nothing that exists with an answer or a typed error',
    async (method) => {
      const answer = await outcome(client, method, accepted(schemaOf(method)));
      if (answer instanceof Error) {
        expect(answer).toBeInstanceOf(EngineError);
        expect(answer).not.toMatchObject({ code: 'internal' });
      }
    },
  );
});
