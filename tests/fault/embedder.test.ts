import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Embedder } from '../../engine/embedder/embedder.ts';
import { embedderLimits } from '../../engine/embedder/limits.ts';
import { childEmbedder } from '../../engine/embedder/process.ts';
import type { EmbedderEnd, EmbedderProcess } from '../../engine/embedder/process.ts';
import type { EmbedderRequest } from '../../engine/embedder/protocol.ts';
import { EmbedderRuntime } from '../../engine/embedder/runtime.ts';
import { openRuntime, readPack, type Pack } from '../../models/packs/index.ts';
import { Random } from '../../models/numerics/random.ts';
import {
  bundleScript,
  settled,
  startTestEngine,
  testFolder,
  tinyPacks,
  writeMusic,
} from '../support/engine.ts';
import { endlessLoop, hugeConstant } from '../support/hostile-graphs.ts';
import { TINY, writeTinyPack } from '../support/tiny-pack.ts';

let bundle: Promise<string> | null = null;
const entry = (): Promise<string> => (bundle ??= bundleScript('engine/embedder/entry.ts'));

const tiny = async (): Promise<Pack> => readPack(join(await tinyPacks(), 'compact'));
const options = { provider: 'cpu', threads: 1, lane: 'compute' } as const;
const sound = (): Float32Array => new Random(5).normals(2 * TINY.S).map((value) => 0.1 * value);

/** A process that answers when told to. */
class FakeProcess implements EmbedderProcess {
  readonly asked: EmbedderRequest[] = [];
  killed = false;
  ended = Promise.resolve();
  #answer: (message: unknown) => void = () => undefined;
  #end: (end: EmbedderEnd) => void = () => undefined;
  post(message: unknown): void {
    this.asked.push(message as EmbedderRequest);
  }
  onMessage(handler: (message: unknown) => void): void {
    this.#answer = handler;
  }
  onEnd(handler: (end: EmbedderEnd) => void): void {
    this.#end = handler;
  }
  kill(): void {
    this.killed = true;
  }
  /** Answers what was asked last, and lets the next be asked. */
  async answer(): Promise<void> {
    this.#answer({ type: 'done', id: this.asked.at(-1)?.id, output: new Float32Array(TINY.D) });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  }
  die(end: EmbedderEnd): void {
    this.#end(end);
  }
}

function fakeEmbedder(limits: Partial<typeof embedderLimits> = {}): {
  embedder: Embedder;
  processes: FakeProcess[];
} {
  const processes: FakeProcess[] = [];
  const embedder = new Embedder({
    spawn: () => {
      const made = new FakeProcess();
      processes.push(made);
      return made;
    },
    limits: { ...embedderLimits, ...limits },
  });
  return { embedder, processes };
}

describe('the queue before an embedder', () => {
  it('gives what is listened for before the next batch of an import, and the rest in order', async () => {
    const { embedder, processes } = fakeEmbedder();
    const pack = await tiny();
    const lanes = { imports: 'import', trains: 'compute', listens: 'listen' } as const;
    const runtime = (lane: keyof typeof lanes): EmbedderRuntime =>
      new EmbedderRuntime(embedder, pack, { ...options, lane: lanes[lane] });
    const done: string[] = [];
    const ask = (name: string, lane: keyof typeof lanes): void =>
      void runtime(lane)
        .embed(new Float32Array(TINY.S), 1)
        .then(() => done.push(name));
    ask('batch 1', 'imports');
    ask('batch 2', 'imports');
    ask('step', 'trains');
    ask('batch 3', 'imports');
    ask('A', 'listens');
    ask('B', 'listens');
    const [process] = processes;
    for (let n = 1; n <= 6; n++) {
      // One at a time: what was given cannot be taken back.
      expect(process?.asked).toHaveLength(n);
      await process?.answer();
    }
    expect(done).toEqual(['batch 1', 'A', 'B', 'step', 'batch 2', 'batch 3']);
    expect(processes).toHaveLength(1);
    await embedder.close();
    await expect(runtime('listens').embed(new Float32Array(TINY.S), 1)).rejects.toThrow('closed');
  });

  it('starts a process again when it died, tries a run once more, and then names the pack', async () => {
    const { embedder, processes } = fakeEmbedder();
    const runtime = new EmbedderRuntime(embedder, await tiny(), options);
    const first = runtime.embed(new Float32Array(TINY.S), 1);
    processes[0]?.die('crash');
    await processes[1]?.answer();
    expect(await first).toHaveLength(TINY.D);
    const second = runtime.embed(new Float32Array(TINY.S), 1);
    processes[1]?.die('crash');
    processes[2]?.die('crash');
    await expect(second).rejects.toMatchObject({
      code: 'limit',
      message: expect.stringContaining('“Tiny test pack” (compact) ended the process') as string,
    });
    const third = runtime.embed(new Float32Array(TINY.S), 1);
    processes[3]?.die('memory');
    await expect(third).rejects.toThrow('GiB of memory');
    await embedder.close();
  });

  it('tries a run again only after what is more urgent', async () => {
    const { embedder, processes } = fakeEmbedder();
    const pack = await tiny();
    const done: string[] = [];
    for (const lane of ['import', 'listen', 'import'] as const)
      void new EmbedderRuntime(embedder, pack, { ...options, lane })
        .embed(new Float32Array(TINY.S), 1)
        .then(() => done.push(`${lane} ${done.length}`));
    processes[0]?.die('crash');
    for (let n = 0; n < 3; n++) await processes[1]?.answer();
    expect(done).toEqual(['listen 0', 'import 1', 'import 2']);
    await embedder.close();
  });

  it('trusts no answer: another size than asked for is an error', async () => {
    const { embedder, processes } = fakeEmbedder();
    const runtime = new EmbedderRuntime(embedder, await tiny(), options);
    const wrong = expect(runtime.embed(new Float32Array(2 * TINY.S), 2)).rejects.toThrow('instead of');
    await processes[0]?.answer();
    await wrong;
  });
});

describe('an embedder process', () => {
  it('gives the very numbers of a runtime on this thread, errors included', async () => {
    const pack = await tiny();
    const embedder = new Embedder({ spawn: childEmbedder(await entry()), limits: embedderLimits });
    const there = new EmbedderRuntime(embedder, pack, options);
    const here = await openRuntime(pack, { threads: 1 });
    const waveforms = sound();
    const z = await there.embed(waveforms, 2);
    expect(z).toEqual(await here.embed(waveforms, 2));
    // A view of a larger buffer takes nothing else along.
    const view = waveforms.subarray(TINY.S);
    expect(await there.embed(view, 1)).toEqual(await here.embed(view, 1));
    const features = await there.features(waveforms, 2);
    expect(features).toEqual(await here.features(waveforms, 2));
    expect(await there.embedFeatures(features, 2)).toEqual(z);
    const sigma = Float32Array.of(0.5, 0.9);
    expect(await there.denoise(features, sigma, z)).toEqual(await here.denoise(features, sigma, z));
    expect(await there.decode(features, 2)).toEqual(await here.decode(features, 2));
    await expect(there.embed(waveforms, 3)).rejects.toBeInstanceOf(RangeError);
    await here.close();
    await embedder.close();
  });

  it('is ended when a graph never ends, and the next run goes to another one', async () => {
    const folder = join(testFolder(), 'endless');
    await writeTinyPack(folder, { seed: 1, id: 'endless', replace: { features: endlessLoop() } });
    const limits = { ...embedderLimits, runMs: 500, openMs: 1500 };
    const embedder = new Embedder({ spawn: childEmbedder(await entry()), limits });
    const endless = new EmbedderRuntime(embedder, await readPack(folder), options);
    const good = new EmbedderRuntime(embedder, await tiny(), options);
    const hung = endless.embed(sound(), 2);
    const after = good.embed(sound(), 2);
    await expect(hung).rejects.toMatchObject({
      code: 'limit',
      message: expect.stringMatching(/\(endless\) computed for 2 s without an end/) as string,
    });
    expect(await after).toHaveLength(2 * TINY.D);
    await embedder.close();
  }, 30_000);

  it('is ended when a graph takes more memory than it may', async () => {
    const folder = join(testFolder(), 'huge');
    await writeTinyPack(folder, { seed: 1, id: 'huge', replace: { features: hugeConstant(20) } });
    const limits = { ...embedderLimits, memory: 2 ** 30 };
    const embedder = new Embedder({ spawn: childEmbedder(await entry()), limits });
    const runtime = new EmbedderRuntime(embedder, await readPack(folder), options);
    // Where the system refuses so much at once, ONNX Runtime says so before the watch does.
    await expect(runtime.embed(sound(), 2)).rejects.toMatchObject({
      name: 'PackError',
      message: expect.stringMatching(/\(huge\) took more than 1\.0 GiB|features\.onnx/) as string,
    });
    const good = new EmbedderRuntime(embedder, await tiny(), options);
    expect(await good.embed(sound(), 2)).toHaveLength(2 * TINY.D);
    await embedder.close();
  }, 60_000);
});

describe('an import with a pack that never ends', () => {
  it('fails naming the pack while the engine goes on answering, and is not taken up again', async () => {
    const packs = testFolder();
    await writeTinyPack(join(packs, 'compact'), {
      seed: 1,
      id: 'compact',
      replace: { features: endlessLoop() },
    });
    const engine = await startTestEngine({
      packFolders: [packs],
      embedder: childEmbedder(await entry()),
      embedderLimits: { runMs: 1000, openMs: 1000 },
    });
    const { client } = engine;
    const library = await client.call('libraries.open', { folder: writeMusic({ perClass: 1 }) });
    const { jobId } = await client.call('import.start', { libraryId: library.id });
    let slowest = 0;
    for (;;) {
      const asked = performance.now();
      const job = await client.call('jobs.get', { jobId });
      slowest = Math.max(slowest, performance.now() - asked);
      if (job.finishedAt !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const job = await settled(client, jobId);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'pack' } });
    expect(job.error?.message).toContain('“Tiny test pack” (compact) computed for 2 s');
    // Loose: the engine's own thread computed nothing meanwhile.
    expect(slowest).toBeLessThan(1000);
    const again = await engine.restart();
    expect((await again.client.call('jobs.list', {})).map(({ state }) => state)).toEqual(['failed']);
  }, 60_000);
});
