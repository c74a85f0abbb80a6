import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { PackError } from '../packs/errors.ts';
import { MAX_GRAPH_BYTES, MANIFEST_FILE, type GraphName } from '../packs/manifest.ts';

const STATE_FILE = 'work.json';
const PREFIX = '.adding-';

const graphEntry = z.object({ file: z.string(), sha256: z.string(), bytes: z.number() });
/** A graph file as the manifest names it. */
export type GraphEntry = z.output<typeof graphEntry>;
const stateSchema = z.object({
  key: z.string(),
  process: z.number(),
  graphs: z.record(z.string(), graphEntry),
});

/**
 * The folder in which a pack comes into being, beside its final place so that one rename puts it there. Nothing else
 * looks into it. What a process that died had finished is used by the next one that makes the same pack.
 */
export class WorkFolder {
  readonly folder: string;
  readonly #key: string;
  readonly #target: string;
  #graphs: Record<string, GraphEntry> = {};

  private constructor(folder: string, target: string, key: string) {
    this.folder = folder;
    this.#target = target;
    this.#key = key;
  }

  /**
   * @param key equal for conversions that give the same graphs
   * @throws PackError when there is a pack of that id, or another process is making it
   */
  static async open(packsFolder: string, id: string, key: string): Promise<WorkFolder> {
    const target = join(packsFolder, id);
    if ((await stat(target).catch(() => null)) !== null) throw taken(id);
    const work = new WorkFolder(join(packsFolder, `${PREFIX}${id}`), target, key);
    const state = await work.#readState();
    if (state !== null && state.process !== process.pid && isAlive(state.process))
      throw new PackError('manifest', `the pack ${id} is being added by another process`, {
        hint: 'Wait until it has finished.',
      });
    if (state?.key === key) work.#graphs = state.graphs;
    else await work.remove();
    await mkdir(work.folder, { recursive: true });
    await work.#writeState();
    return work;
  }

  /**
   * A graph that an earlier process finished, or the one that `build` makes, written.
   * @throws PackError `size` when it is larger than can be opened
   */
  async graph(name: GraphName, build: () => Promise<Uint8Array>): Promise<GraphEntry> {
    const done = this.#graphs[name];
    if (done !== undefined && (await this.#isIntact(done))) return done;
    const bytes = await build();
    if (bytes.length > MAX_GRAPH_BYTES)
      throw new PackError('size', `the ${name} graph would have ${bytes.length} bytes`, {
        hint: 'Archetone opens graphs of up to 512 MiB: this model is too large.',
      });
    const entry: GraphEntry = {
      file: `${name}.onnx`,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
    };
    await writeFile(join(this.folder, entry.file), bytes, { flush: true });
    this.#graphs[name] = entry;
    await this.#writeState();
    return entry;
  }

  async writeManifest(manifest: unknown): Promise<void> {
    await writeFile(join(this.folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`, {
      flush: true,
    });
  }

  /**
   * Puts the pack in its place.
   * @returns its folder
   */
  async finish(): Promise<string> {
    await rm(join(this.folder, STATE_FILE), { force: true });
    await rename(this.folder, this.#target);
    return this.#target;
  }

  /** Leaves nothing behind. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async #isIntact({ file, sha256, bytes }: GraphEntry): Promise<boolean> {
    const path = join(this.folder, file);
    const info = await stat(path).catch(() => null);
    return info?.size === bytes && (await hashFile(path)) === sha256;
  }

  async #readState(): Promise<z.output<typeof stateSchema> | null> {
    try {
      const json: unknown = JSON.parse(await readFile(join(this.folder, STATE_FILE), 'utf8'));
      return stateSchema.safeParse(json).data ?? null;
    } catch {
      // No folder, or one that was cut off before it held anything.
      return null;
    }
  }

  async #writeState(): Promise<void> {
    const state = { key: this.#key, process: process.pid, graphs: this.#graphs };
    await writeFile(join(this.folder, STATE_FILE), JSON.stringify(state));
  }
}

/** SHA-256 of a file, in hexadecimal. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const stream = createReadStream(path, { highWaterMark: 1024 * 1024, ...(signal ? { signal } : {}) });
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // It is there, but belongs to somebody else.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

function taken(id: string): PackError {
  return new PackError('manifest', `there is a pack ${id} already`, {
    hint: `Remove it first (archetone packs remove ${id}), or give the new one another name with --id.`,
  });
}
