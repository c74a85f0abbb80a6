import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { listProviders, type ProviderName, type ProviderReport } from '../../models/packs/index.ts';
import { writeWhole } from '../files/write-whole.ts';

const FILE = 'providers.json';
const reportSchema = z.object({
  provider: z.enum(['cuda', 'dml', 'coreml', 'webgpu', 'cpu']),
  available: z.boolean(),
  correct: z.boolean().nullable(),
  maxAbsDifference: z.number().nullable(),
  windowsPerSecond: z.number().nullable(),
  chosen: z.boolean(),
  message: z.string(),
});
const fileSchema = z.record(z.string(), z.array(reportSchema));

/**
 * Remembers what the check of execution providers found, per pack (by the SHA-256 of its manifest). Without a check
 * the CPU is used: every other provider has to prove that it computes the same first.
 */
export class ProviderMemory {
  readonly #file: string;
  readonly #reports: Map<string, ProviderReport[]>;
  #latest: string | null = null;

  private constructor(file: string, reports: Map<string, ProviderReport[]>) {
    this.#file = file;
    this.#reports = reports;
    this.#latest = [...reports.keys()].at(-1) ?? null;
  }

  /** Reads what an earlier run found; an unreadable file only means that nothing is known. */
  static async open(dataFolder: string): Promise<ProviderMemory> {
    const file = join(dataFolder, FILE);
    const text = await readFile(file, 'utf8').catch(() => '{}');
    let reports = new Map<string, ProviderReport[]>();
    try {
      const parsed = fileSchema.safeParse(JSON.parse(text));
      if (parsed.success) reports = new Map(Object.entries(parsed.data));
    } catch {
      // Damaged: the next check writes it anew.
    }
    return new ProviderMemory(file, reports);
  }

  /** The provider to run a pack on. A provider that this machine no longer offers is not used. */
  chosen(packSha256: string): ProviderName {
    const name = this.#reports.get(packSha256)?.find((report) => report.chosen)?.provider;
    return name !== undefined && listProviders().includes(name) ? name : 'cpu';
  }

  async remember(packSha256: string, reports: ProviderReport[]): Promise<void> {
    this.#reports.delete(packSha256);
    this.#reports.set(packSha256, reports);
    this.#latest = packSha256;
    await writeWhole(this.#file, `${JSON.stringify(Object.fromEntries(this.#reports), null, 2)}\n`);
  }

  /** SHA-256 of the manifest of the pack that was checked last. */
  get latest(): string | null {
    return this.#latest;
  }

  /** Result of the latest check, or what ONNX Runtime offers when none was made. */
  list(): ProviderReport[] {
    const reports = this.#latest === null ? undefined : this.#reports.get(this.#latest);
    return reports ?? listProviders().map(unchecked);
  }
}

function unchecked(provider: ProviderName): ProviderReport {
  return {
    provider,
    available: provider === 'cpu',
    correct: null,
    maxAbsDifference: null,
    windowsPerSecond: null,
    chosen: provider === 'cpu',
    message:
      provider === 'cpu' ? 'used until others are checked' : 'offered by ONNX Runtime, not checked yet',
  };
}
