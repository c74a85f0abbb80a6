import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import { embedOverQueue, type EmbedOverQueueOptions } from '../../../engine/import/embed-over-queue.ts';
import { handedBackAnswer } from '../../../engine/import/track-answer.ts';
import { readTask } from '../../../engine/queue/protocol.ts';
import type { DeliveredAnswer, TaskBoard } from '../../../engine/queue/transport.ts';
import { AsyncQueue } from '../../../engine/wire/async-queue.ts';

/** A board whose workers hand back whatever is hung out, in turn. */
class GivenBack implements Pick<TaskBoard, 'offer' | 'answers'> {
  readonly aside: string[] = [];
  offered = 0;
  readonly #workers: readonly string[];
  readonly #answers = new AsyncQueue<DeliveredAnswer>();

  constructor(workers: readonly string[]) {
    this.#workers = workers;
  }

  offer = (key: string, task: Uint8Array): Promise<boolean> => {
    const worker = this.#workers[this.offered++ % this.#workers.length] ?? '';
    this.#answers.push({ worker, key, bytes: handedBackAnswer(readTask(task)), done: () => undefined });
    return Promise.resolve(true);
  };

  answers = (signal: AbortSignal): AsyncIterable<DeliveredAnswer> => {
    signal.addEventListener('abort', () => this.#answers.end());
    return this.#answers;
  };
}

const hash = (letter: string): string => letter.repeat(64);

/** An import of tracks over a board. */
async function over(
  board: GivenBack,
  contents: readonly string[],
  putNotEmbedded?: (id: string) => void,
): Promise<{ counts: unknown; failed: [string, unknown][]; said: string[] }> {
  const failed: [string, unknown][] = [];
  const said: string[] = [];
  const nothing = (): undefined => undefined;
  const options = {
    ...{ libraryId: 'library', windows: 'all', steps: null, leaseSeconds: 30, againMs: 1, lookMs: 60_000 },
    absolutePath: (path: string) => `/music/${path}`,
    store: {
      ...{ putResult: nothing, takeBack: () => 'failed', copyEmbeddings: () => 0 },
      putNotEmbedded: putNotEmbedded ?? ((id: string, reason: unknown) => void failed.push([id, reason])),
    },
    space: { key: 'b'.repeat(32), windows: 'all' },
    pack: { sha256: hash('c'), manifest: { windowSeconds: 4, embeddingDim: 2 } },
    board: {
      ...{ offer: board.offer, answers: board.answers, serveAudio: nothing, dropAudio: nothing },
      ...{ unread: () => Promise.resolve(0), workers: () => Promise.resolve([]) },
      setAside: (worker: string) => void board.aside.push(worker),
    },
    job: {
      signal: new AbortController().signal,
      ...{ checkpoint: () => Promise.resolve(), report: nothing, kept: nothing },
    },
    progress: { decoded: nothing, embedded: nothing, finished: nothing, takenBack: nothing },
    onStored: nothing,
    onSetAside: (sentence: string) => void said.push(sentence),
  } as unknown as EmbedOverQueueOptions;
  const tracks = contents.map((contentHash, i) => ({
    ...{ id: `t${i}`, path: `${i}.wav`, contentHash, durationSeconds: 4 },
  }));
  return { counts: await embedOverQueue(tracks, options), failed, said };
}

describe('an import over a queue whose workers only hand back', () => {
  it.each([
    [['one'], ['one']],
    [['one', 'two', 'three', 'four', 'five', 'six', 'seven'], []],
  ])(
    'ends with the reason at the file, and tells those to leave that do nothing else (%s)',
    async (workers, left) => {
      const board = new GivenBack(workers);
      const { counts, failed, said } = await over(board, [hash('a')]);
      expect(counts).toEqual({ imported: 0, failed: 1, windows: 0 });
      expect(board.offered).toBe(20);
      expect(board.aside).toEqual(left);
      expect(said).toHaveLength(left.length);
      const [[id, reason] = []] = failed;
      expect(id).toBe('t0');
      expect(reason).toBeInstanceOf(EngineError);
      expect(reason).toMatchObject({ code: 'queue', message: expect.stringContaining('20 times') as string });
    },
  );

  it('ends with what kept a failure from being written down, also that of its last track', async () => {
    const full = new EngineError('disk-full', 'The disk is full.');
    await expect(
      over(new GivenBack(['one', 'two', 'three']), [hash('a')], () => {
        throw full;
      }),
    ).rejects.toBe(full);
  });

  it('does not take one that ends with much under way for one that only hands back', async () => {
    const contents = Array.from('0123456789abcdef', hash);
    const board = new GivenBack([...contents.map(() => 'ending'), ...Array<string>(1000).fill('other')]);
    const { counts, said } = await over(board, contents);
    expect(counts).toMatchObject({ failed: contents.length });
    expect(board.aside).toEqual(['other']);
    expect(said).toEqual([expect.stringContaining('“other” is set aside: it handed back')]);
  });
});
