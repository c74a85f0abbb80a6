import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { BatchChoice } from '../../models/packs/batch-size.ts';
import { writeWhole } from '../files/write-whole.ts';

const FILE = 'batch-sizes.json';
const fileSchema = z.record(
  z.string(),
  z.object({
    size: z.int().min(1).max(1024),
    windowsPerSecond: z.record(z.string(), z.number().positive()),
  }),
);

/** What was measured for: another pack, provider, number of threads or processor is measured anew. */
export interface BatchKey {
  packSha256: string;
  provider: string;
  threads: number | null;
  processor: string;
}

/** Remembers how many windows at a time each pack embeds fastest on this machine. */
export class BatchMemory {
  readonly #file: string;
  readonly #choices: Map<string, BatchChoice>;

  private constructor(file: string, choices: Map<string, BatchChoice>) {
    this.#file = file;
    this.#choices = choices;
  }

  /** Reads what an earlier run found; an unreadable file only means that nothing is known. */
  static async open(dataFolder: string): Promise<BatchMemory> {
    const file = join(dataFolder, FILE);
    const text = await readFile(file, 'utf8').catch(() => '{}');
    try {
      return new BatchMemory(file, new Map(Object.entries(fileSchema.parse(JSON.parse(text)))));
    } catch {
      // Damaged: the next measurement writes it anew.
      return new BatchMemory(file, new Map());
    }
  }

  get(key: BatchKey): BatchChoice | null {
    return this.#choices.get(nameOf(key)) ?? null;
  }

  /** What cannot be written is known for as long as this runs. */
  async remember(key: BatchKey, choice: BatchChoice): Promise<void> {
    this.#choices.set(nameOf(key), choice);
    const content = `${JSON.stringify(Object.fromEntries(this.#choices), null, 2)}\n`;
    await writeWhole(this.#file, content).catch(() => undefined);
  }
}

const nameOf = ({ packSha256, provider, threads, processor }: BatchKey): string =>
  [packSha256, provider, threads ?? 'all', processor].join(' ');
