/** The messages of the wire: plain structured-clone data, parsed on arrival on both sides. */
import * as z from 'zod';
import { engineErrorSchema } from './errors.ts';

const id = z.int().min(1);
const hello = z.strictObject({
  type: z.literal('hello'),
  version: z.string().max(100).nullable(),
});

/** From the side that calls; `hello` comes first. Calls are numbered 1, 2, 3, …, so that a gap names the call that could not be read. */
export const requestSchema = z.discriminatedUnion('type', [
  hello,
  z.strictObject({
    type: z.literal('call'),
    id,
    method: z.string().max(100),
    input: z.unknown(),
    /** Streams: answers that may be sent before the first `credit`. */
    credit: z.int().min(1).max(100_000).optional(),
  }),
  z.strictObject({ type: z.literal('abort'), id }),
  z.strictObject({ type: z.literal('credit'), id }),
]);
export type Request = z.infer<typeof requestSchema>;

/** From the side that serves; `hello` comes first. Every call ends with exactly one of `result`, `end` and `error`. */
export const replySchema = z.discriminatedUnion('type', [
  hello,
  z.strictObject({ type: z.literal('result'), id, value: z.unknown() }),
  z.strictObject({ type: z.literal('next'), id, value: z.unknown() }),
  z.strictObject({ type: z.literal('alive'), id }),
  z.strictObject({ type: z.literal('end'), id }),
  z.strictObject({ type: z.literal('error'), id, error: engineErrorSchema }),
]);
export type Reply = z.infer<typeof replySchema>;

const types = (schema: typeof requestSchema | typeof replySchema): Set<string> =>
  new Set(schema.options.map((option) => option.shape.type.value));
const requestTypes = types(requestSchema);

/** A message that is meant as a request but is none: its number where it has one, to answer to. */
export function brokenRequest(message: unknown): number | null {
  const looks = z.looseObject({ type: z.string(), id }).safeParse(message);
  return looks.success && requestTypes.has(looks.data.type) ? looks.data.id : null;
}
