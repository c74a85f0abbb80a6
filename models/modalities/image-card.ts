import * as z from 'zod';
import { CheckpointError } from '../checkpoint/errors.ts';
import { FileReadError, readBounded } from '../files/read.ts';

const MOST_JSON_BYTES = 1_000_000;
const name = z.string().min(1).max(255);
const side = z.int().min(8).max(1024);
const perChannel = z.array(z.number().min(-1e6).max(1e6)).length(3);

/** The JSON beside an image network: what it takes, and what of its answer describes the picture. */
export const imageCardSchema = z
  .strictObject({
    schema: z.literal('archetone.image/1'),
    name: z.string().trim().min(1).max(200),
    licence: z.string().trim().min(1).max(4000).optional(),
    input: name,
    output: name,
    width: side,
    height: side,
    /** Order of the input's numbers behind the batch: channel, row, column; or row, column, channel. */
    layout: z.enum(['nchw', 'nhwc']),
    channels: z.enum(['rgb', 'bgr']).default('rgb'),
    /** `crop`: the largest middle part of the wanted shape; `squash`: all of it, drawn to the shape. */
    fit: z.enum(['crop', 'squash']).default('crop'),
    /** A sample of 0…255 becomes (sample / divisor − mean) / std, mean and std in the order of `channels`. */
    divisor: z.number().positive().max(1e6).default(255),
    mean: perChannel.default([0, 0, 0]),
    std: perChannel.default([1, 1, 1]),
  })
  .refine(({ std }) => std.every((value) => value > 0), 'std must be above 0');

export type ImageCard = z.output<typeof imageCardSchema>;

/** Where the JSON of a network lies: beside it, under its name. */
export const imageCardPath = (network: string): string => network.replace(/\.onnx$/i, '.json');

/** Reads the JSON beside an image network. @throws CheckpointError `io`, `bad-config` */
export async function readImageCard(network: string): Promise<ImageCard> {
  if (!/\.onnx$/i.test(network))
    throw new CheckpointError('bad-config', `${network} is no .onnx file`, 'Choose the network itself.');
  const path = imageCardPath(network);
  const bytes = await readBounded(path, MOST_JSON_BYTES).catch((cause: unknown) => {
    const missing = cause instanceof FileReadError && cause.problem === 'missing';
    throw new CheckpointError(
      'io',
      missing ? `there is no ${path}` : `${path} is no description of a network`,
      'Put a JSON beside the network that says what it takes, as “Covers and words” says.',
      { cause },
    );
  });
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new CheckpointError('bad-config', `${path} is no JSON`, 'Write it as “Covers and words” says.', {
      cause,
    });
  }
  const read = imageCardSchema.safeParse(json);
  if (read.success) return read.data;
  const faults = read.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`);
  throw new CheckpointError(
    'bad-config',
    `${path} does not fit: ${faults.join('; ')}`,
    'Correct it as “Covers and words” says.',
  );
}
