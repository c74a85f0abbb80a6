import { fork } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { embedderContract, type EmbedderContract, type RunRequest } from '../../engine/embedder/contract.ts';
import { Embedder } from '../../engine/embedder/embedder.ts';
import { embedderLimits } from '../../engine/embedder/limits.ts';
import { unconfined } from '../../engine/confine/confine.ts';
import { forkHelper } from '../../engine/helpers/process.ts';
import type { HelperProcess } from '../../engine/helpers/process.ts';
import { EmbedderRuntime } from '../../engine/embedder/runtime.ts';
import type { OutputOf } from '../../engine/wire/contract.ts';
import { PortListeners, type Port } from '../../engine/wire/port.ts';
import { serve } from '../../engine/wire/serve.ts';
import { ProcessExit } from '../../engine/wire/transports/child-process.ts';
import { portPair } from '../../engine/wire/transports/in-process.ts';
import { openRuntime, readPack, type Pack } from '../../models/packs/index.ts';
import { Random } from '../../models/numerics/random.ts';
import { bundled } from '../support/bundles.ts';
import { settled, startTestEngine } from '../support/engine.ts';
import { testFolder, tinyPacks, writeMusic } from '../support/music.ts';
import { endlessLoop, hugeConstant } from '../support/hostile-graphs.ts';
import { TINY, writeTinyPack } from '../support/tiny-pack.ts';

let bundle: Promise<string> | null = null;
const entry = (): Promise<string> => (bundle ??= bundled('engine/embedder/entry.ts'));

const tiny = async (): Promise<Pack> => readPack(join(await tinyPacks(), 'compact'));
const options = { provider: 'cpu', threads: () => 1, lane: 'compute' } as const;
const sound = (): Float32Array => new Random(5).normals(2 * TINY.S).map((value) => 0.1 * value);

/** A process that answers when told to. */
class FakeProcess implements HelperProcess {
  readonly asked: RunRequest[] = [];
  readonly port: Port;
  killed = false;
  ended = Promise.resolve();
  readonly #there: Port;
  #answer: (answer: OutputOf<EmbedderContract, 'run'>) => void = () => undefined;

  constructor() {
    const [here, there] = portPair();
    const listeners = new PortListeners();
    this.port = {
      ...here,
      onClose: listeners.onClose,
      close: () => {
        this.killed = true;
        this.die(9);
      },
    };
    this.die = (code) => listeners.close(new ProcessExit(code, null));
    this.#there = there;
    serve(this.#there, embedderContract, {
      confinement: () => Promise.resolve(unconfined('a test')),
      run: (request, { signal }) => {
        this.asked.push(request);
        return new Promise((resolve, reject) => {
          this.#answer = resolve;
          signal.addEventListener('abort', () => reject(new Error('stopped')));
        });
      },
      head: () => Promise.reject(new Error('no heads here')),
      verify: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => setTimeout(() => reject(new Error('stopped')), 20));
        }),
      close: () => Promise.resolve(null),
    });
  }

  readonly die: (code: number) => void;

  /** Waits until so many runs were asked for. */
  async wasAsked(times: number): Promise<void> {
    await expect.poll(() => this.asked.length, { interval: 1, timeout: 20_000 }).toBe(times);
  }

  /** Answers what was asked last. */
  answer(): void {
    this.#answer({ output: new Float32Array(TINY.D), by: BY });
  }
}

const BY = { provider: 'cpu', runtime: 'onnxruntime 9.9.9', processor: 'a processor' } as const;
const [CRASH, MEMORY] = [11, 137];

function fakeEmbedder(limits: Partial<typeof embedderLimits> = {}): {
  embedder: Embedder;
  /** The newest one, once so many were started. */
  process: (n: number) => Promise<FakeProcess>;
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
  const process = async (n: number): Promise<FakeProcess> => {
    await expect.poll(() => processes.length, { interval: 1, timeout: 20_000 }).toBe(n);
    const last = processes[n - 1];
    if (!last) throw new Error('no process');
    return last;
  };
  return { embedder, process };
}

describe('the queue before an embedder', () => {
  it('gives what is listened for before the next batch of an import, and the rest in order', async () => {
    const { embedder, process } = fakeEmbedder();
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
    const only = await process(1);
    for (let n = 1; n <= 6; n++) {
      // One at a time: what was given cannot be taken back.
      await only.wasAsked(n);
      only.answer();
    }
    await expect.poll(() => done, { timeout: 20_000 }).toHaveLength(6);
    expect(done).toEqual(['batch 1', 'A', 'B', 'step', 'batch 2', 'batch 3']);
    await process(1);
    await embedder.close();
    await expect(runtime('listens').embed(new Float32Array(TINY.S), 1)).rejects.toThrow('closed');
  });

  it('starts a process again when it died, tries a run once more, and then names the pack', async () => {
    const { embedder, process } = fakeEmbedder();
    const runtime = new EmbedderRuntime(embedder, await tiny(), options);
    const embed = (): Promise<Float32Array> => runtime.embed(new Float32Array(TINY.S), 1);
    const die = async (n: number, code: number): Promise<void> => {
      const one = await process(n);
      await expect.poll(() => one.asked.length, { interval: 1, timeout: 20_000 }).toBeGreaterThan(0);
      one.die(code);
    };
    const first = embed();
    await die(1, CRASH);
    const second = await process(2);
    await second.wasAsked(1);
    second.answer();
    expect(await first).toHaveLength(TINY.D);
    const twice = expect(embed()).rejects.toMatchObject({
      code: 'limit',
      message: expect.stringContaining('“Tiny test pack” (compact) ended the process') as string,
    });
    await second.wasAsked(2);
    second.die(CRASH);
    await die(3, CRASH);
    await twice;
    const third = expect(embed()).rejects.toThrow('GiB of memory');
    await die(4, MEMORY);
    await third;
    await embedder.close();
  });

  it('tries a run again only after what is more urgent', async () => {
    const { embedder, process } = fakeEmbedder();
    const pack = await tiny();
    const done: string[] = [];
    for (const lane of ['import', 'listen', 'import'] as const)
      void new EmbedderRuntime(embedder, pack, { ...options, lane })
        .embed(new Float32Array(TINY.S), 1)
        .then(() => done.push(`${lane} ${done.length}`));
    const first = await process(1);
    await first.wasAsked(1);
    first.die(CRASH);
    const second = await process(2);
    for (let n = 1; n <= 3; n++) {
      await second.wasAsked(n);
      second.answer();
    }
    await expect.poll(() => done, { timeout: 20_000 }).toHaveLength(3);
    expect(done).toEqual(['listen 0', 'import 1', 'import 2']);
    await embedder.close();
  });

  it('ends a process whose run takes too long, and gives the next run to another one', async () => {
    const { embedder, process } = fakeEmbedder({ runMs: 20, openMs: 20 });
    const runtime = new EmbedderRuntime(embedder, await tiny(), options);
    const hung = expect(runtime.embed(new Float32Array(TINY.S), 1)).rejects.toMatchObject({ code: 'limit' });
    const first = await process(1);
    await hung;
    expect(first.killed).toBe(true);
    const next = runtime.embed(new Float32Array(TINY.S), 1);
    const second = await process(2);
    await second.wasAsked(1);
    second.answer();
    expect(await next).toHaveLength(TINY.D);
    // What the process says, not what this one would.
    expect(runtime.computedBy).toEqual(BY);
    await embedder.close();
  });

  it('lets go of what is cancelled at once, and asks for nothing more before the process has stopped', async () => {
    const { embedder, process } = fakeEmbedder();
    const pack = await tiny();
    const { folder, sha256 } = pack;
    const key = { folder, sha256, provider: 'cpu', threads: 1 } as const;
    const stop = new AbortController();
    const reason = new Error('not any more');
    const verify = (): Promise<null> =>
      embedder.ask('verify', { pack: key }, { priority: 1, pack, signal: stop.signal });
    const [running, waiting] = [verify(), verify()];
    const runtime = new EmbedderRuntime(embedder, pack, options);
    const next = runtime.embed(new Float32Array(TINY.S), 1);
    const only = await process(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(verify()).rejects.toBe(reason);
    expect(only.asked).toHaveLength(0);
    await only.wasAsked(1);
    only.answer();
    expect(await next).toHaveLength(TINY.D);
    expect(only.killed).toBe(false);
    await embedder.close();
  });

  it('trusts no answer: another size than asked for is an error', async () => {
    const { embedder, process } = fakeEmbedder();
    const runtime = new EmbedderRuntime(embedder, await tiny(), options);
    const wrong = expect(runtime.embed(new Float32Array(2 * TINY.S), 2)).rejects.toThrow('instead of');
    const only = await process(1);
    await only.wasAsked(1);
    only.answer();
    await wrong;
    await embedder.close();
  });
});

describe('an embedder process', () => {
  it('gives the very numbers of a runtime on this thread, errors included', async () => {
    const pack = await tiny();
    const embedder = new Embedder({ spawn: forkHelper(await entry()), limits: embedderLimits });
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

  it('ends without a word when the engine is gone in the middle of a run', async () => {
    const { folder, sha256 } = await tiny();
    const child = fork(await entry(), [], {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let said = '';
    child.stderr?.on('data', (data: Buffer) => (said += data.toString()));
    const pack = { folder, sha256, provider: 'cpu', threads: 1 };
    const input = { pack, method: 'embed', inputs: [sound()], batch: 2 };
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const told = new Promise((resolve) => child.stderr?.once('close', resolve));
    const replies: unknown[] = [];
    // Its version, then the first answer.
    const answered = new Promise((resolve) =>
      child.on('message', (message) => {
        if (replies.push(message) === 2) resolve(message);
      }),
    );
    child.send({ type: 'hello', version: null });
    for (let id = 1; id <= 20; id++) child.send({ type: 'call', id, method: 'run', input });
    expect(await answered).toMatchObject({ type: 'result' });
    child.disconnect();
    expect(await ended).toBe(0);
    await told;
    expect(said).toBe('');
  }, 30_000);

  it('is ended when a graph never ends, and the next run goes to another one', async () => {
    const folder = join(testFolder(), 'endless');
    await writeTinyPack(folder, { seed: 1, id: 'endless', replace: { features: endlessLoop() } });
    // Enough for a process to come up on a machine that is busy with other things.
    const limits = { ...embedderLimits, runMs: 500, openMs: 7500 };
    const embedder = new Embedder({ spawn: forkHelper(await entry()), limits });
    const endless = new EmbedderRuntime(embedder, await readPack(folder), options);
    const good = new EmbedderRuntime(embedder, await tiny(), options);
    const hung = endless.embed(sound(), 2);
    const after = good.embed(sound(), 2);
    await expect(hung).rejects.toMatchObject({
      code: 'limit',
      message: expect.stringMatching(/\(endless\) computed for 8 s without an end/) as string,
    });
    expect(await after).toHaveLength(2 * TINY.D);
    await embedder.close();
  }, 60_000);

  it('is ended when a graph takes more memory than it may', async () => {
    const folder = join(testFolder(), 'huge');
    await writeTinyPack(folder, { seed: 1, id: 'huge', replace: { features: hugeConstant(20) } });
    const limits = { ...embedderLimits, memory: 2 ** 30 };
    const embedder = new Embedder({ spawn: forkHelper(await entry()), limits });
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
      embedder: forkHelper(await entry()),
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
