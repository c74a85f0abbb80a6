/**
 * Many machines on this one, over a NATS server (nats-server must be installed): workers that may use a part of a core each,
 * what the library's machine spends on a track, and a thousand workers that compute nothing. Needs the command line built
 * (`npm run build`).
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { embeddedAnswer, readTrackAnswer } from '../../engine/import/track-answer.ts';
import { TrackStore } from '../../engine/import/track-store.ts';
import { LibraryCatalogue } from '../../engine/library/libraries.ts';
import { NatsBoard } from '../../engine/queue/nats/board.ts';
import { NatsSource } from '../../engine/queue/nats/source.ts';
import { readTask, taskKey, writeAnswer, writeTask } from '../../engine/queue/protocol.ts';
import { queueSettingsSchema } from '../../engine/queue/settings.ts';
import * as z from 'zod';
import { encodeWav } from '../../models/audio/index.ts';
import { readPack } from '../../models/packs/index.ts';
import { Random } from '../../models/numerics/random.ts';

const CLI = resolve(import.meta.dirname, '../../bin/archetone.js');
const TRACKS = Number(process.env['ARCHETONE_BENCH_TRACKS'] ?? 40);
const SECONDS = 30;
/** Of a core, for each worker. */
const SHARE = Number(process.env['ARCHETONE_BENCH_SHARE'] ?? 0.15);
const FAKE_WORKERS = Number(process.env['ARCHETONE_BENCH_WORKERS'] ?? 1000);
const FAKE_TASKS = 5000;
const DIM = 256;
const WINDOWS = 60;

export async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'archetone-queue-bench-'));
  const port = await freePort();
  const server = spawn(
    'nats-server',
    ['-js', '-a', '127.0.0.1', '-p', String(port), '-sd', join(folder, 'store')],
    {
      stdio: 'ignore',
    },
  );
  await sleep(1000);
  try {
    console.log(`${cpus()[0]?.model ?? ''}, ${cpus().length} cores`);
    await costOfAnAnswer(folder);
    if (TRACKS > 0) await realWorkers(folder, `nats://127.0.0.1:${port}`);
    await fakeWorkers(`nats://127.0.0.1:${port}`, server);
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function realWorkers(folder: string, url: string): Promise<void> {
  const music = makeNoise(folder, 'music', TRACKS, 0);
  let one = 0;
  for (const count of [1, 2, 4]) {
    const workers = Array.from({ length: count }, (_, i) => limited(folder, url, `${count}-${i}`));
    // Each worker opens the pack first, on other tracks, so that the import below is timed without that.
    const warmTracks = 4 * count;
    const warm = makeNoise(folder, `first-${count}`, warmTracks, TRACKS + 100 * count);
    const first = await importOver(warm, warmTracks, join(folder, `first-library-${count}`), url);
    const begun = Date.now();
    const { seconds, cpu } = await importOver(music, TRACKS, join(folder, `library-${count}`), url);
    for (const worker of workers) end(worker);
    const work = workOf(
      workers.map((_, i) => logOf(folder, `${count}-${i}`)),
      begun,
    );
    one ||= work;
    const more = TRACKS > warmTracks ? (1000 * (cpu - first.cpu)) / (TRACKS - warmTracks) : Number.NaN;
    console.log(
      `${count} workers of ${SHARE} core: ${TRACKS} tracks of ${SECONDS} s in ${work.toFixed(1)} s from the first task taken to the last answer, speed-up ${(one / work).toFixed(2)}; the whole import ${seconds.toFixed(1)} s, its process ${cpu.toFixed(1)} s CPU, ${more.toFixed(1)} ms for each track beyond the first ${warmTracks}`,
    );
    await sleep(1000);
  }
}

function makeNoise(folder: string, name: string, tracks: number, seed: number): string {
  const music = join(folder, name);
  mkdirSync(music);
  for (let i = 0; i < tracks; i++) {
    const random = new Random(seed + i);
    const noise = Float32Array.from({ length: SECONDS * 22_050 }, () => 0.1 * random.normal());
    writeFileSync(join(music, `${i}.wav`), encodeWav(noise, 22_050, 'pcm16'));
  }
  return music;
}

/** A worker, all of whose processes together get a part of a core, by a quota of the kernel (control groups; needs root). */
function limited(folder: string, url: string, name: string): ChildProcess {
  const quota = String(Math.round(SHARE * 100_000));
  const second = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const group = `/sys/fs/cgroup/${second ? '' : 'cpu/'}archetone-bench-${name}`;
  mkdirSync(group, { recursive: true });
  if (second) writeFileSync(join(group, 'cpu.max'), `${quota} 100000`);
  else writeFileSync(join(group, 'cpu.cfs_quota_us'), quota);
  const worker = [
    process.execPath,
    CLI,
    'worker',
    '--queue',
    url,
    '--name',
    name,
    '--threads',
    '1',
    '--batch',
    '4',
  ];
  const command = ['echo $$ > "$0/cgroup.procs"; exec "$@"', group, ...worker, '--cache', join(folder, name)];
  const log = openSync(logOf(folder, name), 'w');
  const started = spawn('sh', ['-c', ...command], { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  return started;
}

function logOf(folder: string, worker: string): string {
  return join(folder, `${worker}.log`);
}

const logLine = z.object({ time: z.iso.datetime(), event: z.string() });

/** @returns seconds from the first task that was taken after a moment to the last answer, as the workers logged them */
function workOf(logs: readonly string[], since: number): number {
  const [taken, answered]: [number[], number[]] = [[], []];
  for (const line of logs.flatMap((path) => readFileSync(path, 'utf8').split('\n'))) {
    if (!line.startsWith('{')) continue;
    const { time, event } = logLine.parse(JSON.parse(line));
    const at = Date.parse(time);
    if (at < since) continue;
    if (event === 'took') taken.push(at);
    if (event === 'answered') answered.push(at);
  }
  return (Math.max(...answered) - Math.min(...taken)) / 1000;
}

function end({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}

/** @returns seconds of the import, and CPU seconds of its process with all its children */
async function importOver(
  music: string,
  tracks: number,
  library: string,
  url: string,
): Promise<{ seconds: number; cpu: number }> {
  const command = [process.execPath, CLI, 'import', music, '--library', library, '--queue', url, '--json'];
  const child = spawn('/usr/bin/time', ['-f', '%U %S', ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, error] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  await new Promise((done) => child.once('close', done));
  const told = JSON.parse(out) as { import: { seconds: number; imported: number } };
  if (told.import.imported !== tracks) throw new Error(out);
  const [user = 0, system = 0] = (error.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { seconds: told.import.seconds, cpu: user + system };
}

/** What the library's machine spends on an answer: reading it, looking whether it is possible, and storing it. */
async function costOfAnAnswer(folder: string): Promise<void> {
  const pack = await readPack(resolve(import.meta.dirname, '../../models/packs/compact'));
  const music = join(folder, 'one');
  mkdirSync(music);
  const catalogue = new LibraryCatalogue(join(folder, 'cost'), {
    ...{ isBusy: () => false, pack: () => pack, encoderOf: () => pack.encoderSha256 },
    ...{ changed: () => undefined, note: () => undefined },
  });
  const library = catalogue.open(music, {});
  const { sha256: packSha256, encoderSha256, manifest } = pack;
  const space = library.use({ ...library.space(), packSha256, encoderSha256 });
  const store = new TrackStore(library, space, 'bench');
  const tags = {
    title: null,
    artist: null,
    album: null,
    genre: [],
    year: null,
    track: null,
    bpm: null,
    key: null,
    comment: null,
  };
  const dim = manifest.embeddingDim;
  const random = new Random(1);
  const result = {
    ...{ durationSeconds: 240, note: null, peaks: new Int8Array(2 * 50 * 240) },
    windows: Array.from({ length: WINDOWS }, (_, index) => ({
      ...{ index, startSeconds: 4 * index, seconds: 4 },
      z: Float32Array.from({ length: dim }, () => random.normal()),
    })),
  };
  const ids = Array.from({ length: FAKE_TASKS / 10 }, (_, i) => {
    const contentHash = i.toString(16).padStart(64, '0');
    const file = { path: `${i}.flac`, bytes: 1, modifiedMs: 1, changedMs: 1 };
    const id = store.putProbed(null, file, {
      info: null,
      tags,
      cover: null,
      coverProblem: null,
      contentHash,
      bytes: 1,
    });
    return { id, contentHash };
  });
  const by = { provider: 'cpu', runtime: 'none', processor: 'none' } as const;
  const answers = ids.map(({ contentHash }) =>
    embeddedAnswer({ spaceKey: space.key, contentHash }, result, by),
  );
  const before = process.cpuUsage();
  ids.forEach(({ id, contentHash }, i) => {
    const key = taskKey({ spaceKey: space.key, contentHash });
    const read = readTrackAnswer(answers[i] ?? new Uint8Array(), { space, pack, key });
    if (read.kind === 'embedded') store.putResult(id, read.result, read.by);
  });
  const { user, system } = process.cpuUsage(before);
  console.log(
    `reading and storing an answer of ${WINDOWS} windows of ${dim} numbers: ${((user + system) / 1000 / ids.length).toFixed(2)} ms CPU`,
  );
  catalogue.close();
}

const never = new AbortController().signal;

/** Workers with connections of their own, in this process, that answer at once with vectors of the usual size. */
async function fakeWorkers(url: string, server: ChildProcess): Promise<void> {
  const settings = queueSettingsSchema.parse({ server: url });
  const board = await NatsBoard.open(settings, 'bench', never);
  const spaceKey = '0'.repeat(32);
  const hashes = Array.from({ length: FAKE_TASKS }, (_, i) => i.toString(16).padStart(64, '0'));
  let begun = performance.now();
  await inParallel(hashes, 64, async (contentHash) => {
    const task = {
      protocol: 1,
      libraryId: 'bench',
      spaceKey,
      packSha256: '0'.repeat(64),
      windows: 'all',
      contentHash,
    } as const;
    const bytes = writeTask({
      ...task,
      path: `/music/${contentHash}.flac`,
      durationSeconds: 240,
      steps: null,
      leaseSeconds: 30,
    });
    await board.offer(taskKey({ spaceKey, contentHash }), bytes, false);
  });
  console.log(
    `hung out ${FAKE_TASKS} tasks: ${((1000 * FAKE_TASKS) / (performance.now() - begun)).toFixed(0)} a second`,
  );
  const stop = new AbortController();
  const workers: Promise<void>[] = [];
  begun = performance.now();
  for (let i = 0; i < FAKE_WORKERS; i++) {
    const source = await NatsSource.open({
      ...{ settings, worker: `fake-${i}`, libraries: ['bench'] },
      onOtherProtocol: () => undefined,
      onSetAside: () => undefined,
    });
    workers.push(fakeWorker(source, stop.signal));
  }
  console.log(`${FAKE_WORKERS} workers connected in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  begun = performance.now();
  const seen = new Set<string>();
  const cpuBefore = process.cpuUsage();
  for await (const { key, done } of board.answers(stop.signal)) {
    seen.add(key);
    done();
    if (seen.size === FAKE_TASKS) stop.abort();
  }
  const seconds = (performance.now() - begun) / 1000;
  const used = process.cpuUsage(cpuBefore);
  const memory = spawnSync('ps', ['-o', 'rss=', '-p', String(server.pid)])
    .stdout.toString()
    .trim();
  console.log(
    `${FAKE_WORKERS} workers that compute nothing: ${(seen.size / seconds).toFixed(0)} tasks a second with ${((WINDOWS * (DIM + 3) * 4) / 1000).toFixed(0)} kB each; this process (all workers and the library) ${((used.user + used.system) / 1e6 / seconds).toFixed(2)} cores and ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB, the server ${(Number(memory) / 1024).toFixed(0)} MiB`,
  );
  await Promise.all(workers);
  await board.remove();
}

async function fakeWorker(source: NatsSource, signal: AbortSignal): Promise<void> {
  const numbers = {
    index: Int32Array.from({ length: WINDOWS }, (_, i) => i),
    startSeconds: Float32Array.from({ length: WINDOWS }, (_, i) => 4 * i),
    seconds: new Float32Array(WINDOWS).fill(4),
    vectors: new Float32Array(WINDOWS * DIM).fill(0.1),
    peaks: new Int8Array(100 * 240),
  };
  const by = { provider: 'cpu', runtime: 'none', processor: 'none' } as const;
  const size = { windows: WINDOWS, dim: DIM, peaks: numbers.peaks.length };
  while (!signal.aborted) {
    const leased = await source.take(signal);
    if (!leased) continue;
    const { spaceKey, contentHash } = readTask(leased.bytes);
    const outcome = { kind: 'embedded', durationSeconds: 240, note: null, by, ...size } as const;
    await source.answer(leased, writeAnswer({ spaceKey, contentHash, outcome, numbers }), never);
    await leased.done();
  }
  await source.close();
}

async function inParallel<T>(
  values: readonly T[],
  width: number,
  work: (value: T) => Promise<void>,
): Promise<void> {
  const left = values[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const value of left) await work(value);
    }),
  );
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
