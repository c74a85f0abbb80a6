import { createHash } from 'node:crypto';
import * as z from 'zod';
import { PackError } from './errors.ts';
import { graphFileSchema, packIdSchema, packText, readBoundedFile, sourceSchema } from './manifest.ts';
import type { GraphContract } from './graph-contract.ts';
import { GraphSession, type SessionOptions } from './session.ts';

/** Name of the file that describes a head, in its folder. */
export const HEAD_FILE = 'head.json';

const name = z.string().min(1).max(255);

/** What a head is: a network behind the embeddings of a pack, as its maker published it. */
export const headManifestSchema = z
  .object({
    schema: z.literal('archetone.pack-head/1'),
    id: packIdSchema,
    title: packText,
    /** Whose embeddings it listens to. */
    packId: packIdSchema,
    licence: packText,
    nonCommercial: z.boolean().default(false),
    attribution: packText,
    trainingData: z.object({ statement: z.string().max(4000) }),
    /** D: numbers of an embedding that it takes. */
    embeddingDim: z.int().positive().max(8192),
    input: name,
    output: name,
    /** Rows that have to be given at once; left out where any number is taken. */
    batch: z.int().positive().max(4096).optional(),
    classes: z.array(z.string().max(255)).min(1).max(10_000),
    /** Of two classes of which one denies the other, the one that does not. */
    positive: z.string().max(255).nullable(),
    graph: graphFileSchema,
    sources: z.array(sourceSchema).max(16),
  })
  .refine(({ classes, positive }) => positive === null || classes.includes(positive), {
    message: 'positive is none of the classes',
  });
export type HeadManifest = z.output<typeof headManifestSchema>;

/** A head whose description has been read; its graph is checked whenever it is opened. */
export interface Head {
  folder: string;
  manifest: HeadManifest;
  /** Of the bytes of `head.json`, which names the hash of its graph: it identifies the whole head. */
  sha256: string;
}

/** @throws PackError `missing` | `manifest` | `size` | `unsafe-path` */
export async function readHead(folder: string): Promise<Head> {
  const bytes = await readBoundedFile(folder, HEAD_FILE);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new PackError('manifest', `${HEAD_FILE} is not JSON`, { file: HEAD_FILE, cause });
  }
  const parsed = headManifestSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new PackError(
      'manifest',
      `${HEAD_FILE}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it is not valid'}`,
      { file: HEAD_FILE, cause: parsed.error },
    );
  }
  return { folder, manifest: parsed.data, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** The graph of a head, ready to run. */
export class HeadSession {
  readonly #session: GraphSession;
  readonly #head: HeadManifest;

  private constructor(session: GraphSession, head: HeadManifest) {
    this.#session = session;
    this.#head = head;
  }

  /** @throws PackError where the file is not the one that was added, or its graph has other names and sizes */
  static async open({ folder, manifest }: Head, options: SessionOptions): Promise<HeadSession> {
    const { graph, input, output, batch = 'batch', embeddingDim, classes } = manifest;
    const contract: GraphContract = {
      inputs: [{ name: input, dims: [batch, embeddingDim] }],
      outputs: [{ name: output, dims: [batch, classes.length] }],
    };
    return new HeadSession(
      await GraphSession.openFile({ folder, entry: graph, contract }, options),
      manifest,
    );
  }

  /**
   * What it says of each embedding.
   * @param rows `[count, D]`
   * @returns `[count, classes]`
   * @throws PackError `graph`; RangeError on a wrong size
   */
  async predict(rows: Float32Array, count: number): Promise<Float32Array> {
    const { embeddingDim: dim, classes, batch } = this.#head;
    if (rows.length !== count * dim)
      throw new RangeError(`${count} embeddings have ${rows.length} numbers instead of ${count * dim}`);
    const width = classes.length;
    const answers = new Float32Array(count * width);
    const atOnce = batch ?? count;
    for (let from = 0; from < count; from += atOnce) {
      const given = Math.min(atOnce, count - from);
      // Of a fixed batch what is missing is filled up.
      const input = new Float32Array(atOnce * dim);
      input.set(rows.subarray(from * dim, (from + given) * dim));
      const [output = input] = await this.#session.run([input], atOnce);
      answers.set(output.subarray(0, given * width), from * width);
    }
    return answers;
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
