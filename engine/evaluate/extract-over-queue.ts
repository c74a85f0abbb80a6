import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AudioError } from '../../models/audio/errors.ts';
import { plainSteps } from '../../models/deformations/scenario.ts';
import { spaceKey } from '../../models/embeddings/space.ts';
import type { PackRuntime } from '../../models/packs/index.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { embedOverQueue, type AnswerStore } from '../import/embed-over-queue.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { offerPack } from '../queue/pack-files.ts';
import type { QueueSettings } from '../queue/settings.ts';
import type { TaskItem } from './tasks.ts';
import type { VectorStore, Wanted } from './vectors.ts';

/** Tracks of one data set in one space. */
export interface Extraction {
  items: readonly TaskItem[];
  runtime: PackRuntime;
  wanted: Omit<Wanted, 'signal'>;
  title: string;
}

/**
 * Has workers make the vectors of an evaluation that are not there. What a worker has not, a file of impulse responses and
 * the same ffmpeg, is left to this machine.
 * @throws EngineError `queue`; `audio` for the first file that cannot be used; the signal's reason
 */
export async function extractOverQueue(
  extractions: readonly Extraction[],
  parts: {
    context: EngineContext;
    settings: QueueSettings;
    evaluationId: string;
    vectors: VectorStore;
    job: JobHandle;
  },
): Promise<void> {
  const { context, settings, evaluationId, vectors, job } = parts;
  const missing = extractions
    .filter(({ wanted: { scenario } }) => scenario === null || plainSteps(scenario) !== null)
    .map((extraction) => ({ ...extraction, items: missingOf(extraction, vectors) }))
    .filter(({ items }) => items.length > 0);
  if (missing.length === 0) return;
  const total = missing.reduce((sum, { items }) => sum + items.length, 0);
  let done = 0;
  const { NatsBoard } = await import('../queue/nats/board.ts');
  const board = await NatsBoard.open(settings, `evaluation-${evaluationId}`, job.signal);
  try {
    for (const { pack } of new Set(missing.map(({ runtime }) => runtime))) await offerPack(board, pack);
    for (const extraction of missing) {
      const { items, runtime, wanted, title } = extraction;
      const { pack } = runtime;
      const byHash = new Map(items.map((item) => [item.sha256, item]));
      const tell = (): void => job.report({ done, total, unit: 'tracks', current: title });
      tell();
      job.report({ overQueue: true });
      const { windows, scenario } = wanted;
      await embedOverQueue(
        items.map(({ file, sha256 }) => ({
          ...{ id: sha256, path: file, contentHash: sha256, durationSeconds: null },
        })),
        {
          ...{ libraryId: `evaluation-${evaluationId}`, windows, absolutePath: (path) => path },
          steps: scenario === null ? [] : plainSteps(scenario),
          space: {
            key: spaceKey({
              ...{ encoderSha256: pack.encoderSha256, windows, deformation: scenario?.key ?? null },
            }),
            windows,
          },
          store: new VectorFiles(vectors, extraction),
          ...{ pack, board, job, runtime, leaseSeconds: settings.leaseSeconds },
          audioOf: (path, signal) => {
            const item = items.find(({ file }) => file === path);
            if (!item) throw new Error(`${path} is not asked for`);
            return vectors.audio(byHash.get(item.sha256) ?? item, runtime, { ...wanted, signal });
          },
          progress: {
            decoded: () => undefined,
            embedded: () => undefined,
            finished: () => {
              done++;
              tell();
            },
            takenBack: (tracks) => {
              done -= tracks;
              tell();
            },
          },
          onStored: () => undefined,
          onSetAside: (sentence) => context.notices.add(sentence),
        },
      );
    }
    await board.remove();
  } catch (thrown) {
    if (job.stopping === 'cancel') await board.clear().catch(() => undefined);
    throw thrown;
  } finally {
    job.report({ overQueue: false });
    await board.close();
  }
}

/** Each content once. */
function missingOf({ items, runtime, wanted }: Extraction, vectors: VectorStore): TaskItem[] {
  const once = new Map(items.map((item) => [item.sha256, item]));
  return [...once.values()].filter((item) => !vectors.has(item, runtime, wanted));
}

/** Answers as the files that an evaluation reads. */
class VectorFiles implements AnswerStore {
  readonly #vectors: VectorStore;
  readonly #extraction: Extraction;

  constructor(vectors: VectorStore, extraction: Extraction) {
    this.#vectors = vectors;
    this.#extraction = extraction;
  }

  putResult: AnswerStore['putResult'] = (sha256, { windows }) => {
    const path = this.#path(sha256);
    mkdirSync(dirname(path), { recursive: true });
    const part = `${path}.${process.pid}.tmp`;
    writeFileSync(
      part,
      Buffer.concat(windows.map(({ z }) => Buffer.from(z.buffer, z.byteOffset, z.byteLength))),
    );
    renameSync(part, path);
  };

  /** An evaluation of a part of its tracks would be another one: it ends, as it does without a queue. */
  putNotEmbedded: AnswerStore['putNotEmbedded'] = (id, reason) => {
    const path = this.#extraction.items.find(({ sha256 }) => sha256 === id)?.file ?? id;
    const told = reason instanceof AudioError || reason instanceof EngineError;
    const message = reason instanceof Error ? reason.message : String(reason);
    throw new EngineError('audio', `${path}: ${message}`, told ? reason.hint : '', { cause: reason });
  };

  takeBack: AnswerStore['takeBack'] = (sha256) => {
    rmSync(this.#path(sha256), { force: true });
    return 'embedded';
  };

  copyEmbeddings: AnswerStore['copyEmbeddings'] = () => 0;

  #path(sha256: string): string {
    const { runtime, wanted } = this.#extraction;
    return this.#vectors.path({ sha256 }, runtime, wanted);
  }
}
