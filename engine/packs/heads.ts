import { randomUUID } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HEAD_FILE, PackError, readHead, type Head, type Pack } from '../../models/packs/index.ts';
import type { JobLane } from '../api/jobs.ts';
import { EngineError } from '../api/errors.ts';
import type { PackVerification } from '../api/packs.ts';
import type { Embedder } from '../embedder/embedder.ts';
import { priorities } from '../embedder/runtime.ts';

/** Beside the packs that were added; packs do not begin with a dot. */
const FOLDER = '.heads';

/** The heads of packs: networks behind their embeddings, each a folder `<pack>/<head>` of its own. */
export class Heads {
  readonly #root: string | null;
  readonly #embedder: Pick<Embedder, 'ask'>;
  #known: ReadonlyMap<string, readonly Head[]> = new Map();

  /** @param packsFolder where packs are added; null where none can be */
  constructor(packsFolder: string | null, embedder: Pick<Embedder, 'ask'>) {
    this.#root = packsFolder === null ? null : join(packsFolder, FOLDER);
    this.#embedder = embedder;
  }

  /** Looks for heads again. @returns what cannot be used, and why */
  async refresh(): Promise<{ folder: string; message: string; hint: string }[]> {
    const known = new Map<string, Head[]>();
    const problems: { folder: string; message: string; hint: string }[] = [];
    const root = this.#root;
    for (const packId of root === null ? [] : await foldersIn(root))
      for (const headId of await foldersIn(join(root ?? '', packId))) {
        const folder = join(root ?? '', packId, headId);
        try {
          const head = await readHead(folder);
          known.set(packId, [...(known.get(packId) ?? []), head]);
        } catch (thrown) {
          if (!(thrown instanceof PackError)) throw thrown;
          problems.push({ folder, message: thrown.message, hint: thrown.hint });
        }
      }
    this.#known = known;
    return problems;
  }

  of(packId: string): readonly Head[] {
    return this.#known.get(packId) ?? [];
  }

  /** @throws EngineError `pack` where the pack has no head of that id */
  get(packId: string, headId: string): Head {
    const heads = this.of(packId);
    const head = heads.find(({ manifest }) => manifest.id === headId);
    if (head) return head;
    throw new EngineError(
      'pack',
      `The pack “${packId}” has no head “${headId}”.`,
      heads.length > 0
        ? `It has ${heads.map(({ manifest }) => manifest.id).join(', ')}.`
        : 'Add one with its JSON: “archetone packs add head.onnx”.',
    );
  }

  /** Folder of a head, there or not. @throws EngineError `pack` where nothing can be added */
  placeOf(packId: string, headId: string): string {
    if (this.#root !== null) return join(this.#root, packId, headId);
    throw new EngineError(
      'pack',
      'There is no folder for added packs.',
      'Name one in the environment variable ARCHETONE_USER_PACKS.',
    );
  }

  /**
   * What a head says of embeddings `[count, D]`: `[count, classes]`.
   * @throws PackError
   */
  async predict({ folder, sha256, manifest }: Head, rows: Float32Array, count: number, lane: JobLane) {
    const { output } = await this.#embedder.ask(
      'head',
      { head: { folder, sha256 }, rows, count },
      { priority: priorities[lane], graph: `${sha256} head` },
    );
    if (output.length === count * manifest.classes.length) return output;
    throw new PackError('graph', `the head ${manifest.id} gave ${output.length} numbers`);
  }

  /** Checks the files of the heads of a pack, and that they take its embeddings. @throws the signal's reason */
  async verify(
    { manifest: { id, embeddingDim } }: Pack,
    signal: AbortSignal,
  ): Promise<PackVerification['problems']> {
    const problems: PackVerification['problems'] = [];
    for (const head of this.of(id)) {
      const { manifest } = head;
      const at = (file: string): string => `${manifest.id}/${file}`;
      signal.throwIfAborted();
      if (manifest.embeddingDim !== embeddingDim) {
        const { message, hint } = misfit(head, { id, embeddingDim });
        problems.push({ file: at(HEAD_FILE), message, hint });
        continue;
      }
      try {
        // A session that is open has read its file before.
        await this.release(head);
        await this.predict(head, new Float32Array(embeddingDim), 1, 'compute');
      } catch (thrown) {
        if (!(thrown instanceof PackError)) throw thrown;
        const { message, hint, file = manifest.graph.file } = thrown;
        problems.push({ file: at(file), message, hint });
      }
    }
    return problems;
  }

  /** Frees the session of a head. */
  async release({ sha256 }: Head): Promise<void> {
    await this.#embedder.ask('close', { sha256 }, { priority: 0 });
  }

  /** Deletes the files of a head. @throws EngineError `pack` */
  async remove(packId: string, headId: string): Promise<void> {
    const head = this.get(packId, headId);
    await this.release(head);
    await this.#delete(head.folder);
  }

  /** Deletes all heads of a pack. */
  async removeAll(packId: string): Promise<void> {
    for (const head of this.of(packId)) await this.release(head);
    if (this.#root !== null) await this.#delete(join(this.#root, packId));
  }

  /** Out of sight at once; what is slow to delete is no longer a head. */
  async #delete(folder: string): Promise<void> {
    if (this.#root === null) return;
    const grave = join(this.#root, `.removing-${randomUUID()}`);
    try {
      await rename(folder, grave);
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return;
      throw thrown;
    }
    await rm(grave, { recursive: true, force: true });
  }
}

/** A head that takes other embeddings than its pack gives, as where the pack was exchanged. */
export function misfit(
  { manifest }: Head,
  { id, embeddingDim }: { id: string; embeddingDim: number },
): EngineError {
  return new EngineError(
    'pack',
    `The head “${manifest.id}” takes embeddings of ${manifest.embeddingDim} numbers, the pack “${id}” gives ${embeddingDim}.`,
    'Remove the head, and add it to the pack that it was trained on.',
  );
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
}
