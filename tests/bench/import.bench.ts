/**
 * What an import costs beside the embedding alone, in one run: processor milliseconds of each process that takes part
 * (engine: storing, peaks, windows; readers: decoding, resampling, hashes, tags; embedder: the graphs and what carries
 * windows to them), for a window and for a file, of short files with one window each and of long tracks. Beside them the
 * graphs with nothing around them, and the rate of both by the clock. Needs a build (`npm run build`), ffmpeg, which makes
 * the files, and Linux, which says what other processes used.
 *
 * ARCHETONE_BENCH_SHORT (default 60) and ARCHETONE_BENCH_LONG (default 4): files of each kind; 0 leaves it out.
 * ARCHETONE_BENCH_FORMATS (default wav,flac,mp3,ogg): formats.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { helpersOf } from '../../cli/helpers.ts';
import { findPlaces } from '../../cli/places.ts';
import { createEngine, type Engine } from '../../engine/engine.ts';
import { compactPackFolder, openRuntime, readPack } from '../../models/packs/index.ts';
import { Random } from '../../models/numerics/random.ts';
import { machine, spentOn } from './meter.ts';

const BATCH = 4;
/** Enough for a steady figure. */
const ALONE_WINDOWS = 200;
/** Of the clock that the kernel counts processor time by. */
const TICKS = 100;
const codecs: Record<string, string[]> = {
  wav: ['-c:a', 'pcm_s16le'],
  flac: ['-c:a', 'flac'],
  mp3: ['-c:a', 'libmp3lame', '-b:a', '192k'],
  ogg: ['-c:a', 'libvorbis', '-q:a', '6'],
};
const kinds = [
  { kind: 'short', count: Number(process.env['ARCHETONE_BENCH_SHORT'] ?? 60), seconds: 3.9 },
  { kind: 'long', count: Number(process.env['ARCHETONE_BENCH_LONG'] ?? 4), seconds: 180 },
];
const parts = ['engine', 'readers', 'embedder'] as const;
type Used = Record<(typeof parts)[number], number>;

export async function run(): Promise<void> {
  const places = findPlaces(resolve(import.meta.dirname, '../..'));
  if (places.embedder === null || places.readers === null || process.platform !== 'linux') {
    console.log('skipped: build first, on Linux');
    return;
  }
  const formats = (process.env['ARCHETONE_BENCH_FORMATS'] ?? Object.keys(codecs).join()).split(',');
  const folder = mkdtempSync(join(tmpdir(), 'archetone-import-'));
  const { embedder, readers, ...rest } = places;
  const dataFolder = join(folder, 'data');
  mkdirSync(dataFolder);
  const engine = await createEngine({ ...rest, ...helpersOf({ embedder, readers }), dataFolder });
  try {
    console.log(machine());
    // Opens the graphs, starts the decoders, and measures how many windows are embedded at a time.
    await imported(engine, makeMusic(folder, 'first', 'wav', { count: 2, seconds: 180 }));
    const alone = await embeddingAlone(ALONE_WINDOWS);
    const rows = [];
    for (const { kind, ...size } of kinds)
      for (const format of size.count > 0 ? formats : []) {
        const music = makeMusic(folder, `${kind} ${format}`, format, size);
        const before = usedByParts();
        const { windows, wall } = await imported(engine, music);
        const after = usedByParts();
        const ms = parts.map((part) => 1000 * (after[part] - before[part]));
        const total = ms.reduce((sum, value) => sum + value, 0);
        rows.push({
          files: `${size.count} ${kind} ${format}`,
          windows,
          ...Object.fromEntries(parts.map((part, i) => [part, ((ms[i] ?? 0) / windows).toFixed(1)])),
          'all, CPU ms a window': (total / windows).toFixed(1),
          'a file': (total / size.count).toFixed(0),
          'embedding, % of it': ((100 * alone.cpu * windows) / total).toFixed(0),
          'windows a second': ((1000 * windows) / wall).toFixed(1),
          '% of embedding alone': ((100 * alone.wall * windows) / wall).toFixed(0),
        });
      }
    console.log(
      `embedding alone: ${alone.cpu.toFixed(1)} ms of the processor for a window, ${(1000 / alone.wall).toFixed(1)} windows a second`,
    );
    console.table(rows);
  } finally {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Chords that change, in stereo at 44.1 kHz: what compresses like music. */
function makeMusic(
  folder: string,
  name: string,
  format: string,
  { count, seconds }: { count: number; seconds: number },
): string {
  const music = join(folder, name);
  mkdirSync(music);
  for (let i = 0; i < count; i++) {
    const tone = (ratio: number): string =>
      `0.15*sin(2*PI*${110 * ratio + 7 * i}*(1+0.5*floor(mod(t\\,3)))*t)`;
    const sound = `aevalsrc=${tone(1)}+${tone(1.25)}+0.05*random(0)|${tone(1)}+${tone(1.5)}:s=44100:d=${seconds}`;
    const target = join(music, `${name} ${i}.${format}`);
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', sound, ...(codecs[format] ?? []), target]);
  }
  return music;
}

async function imported(engine: Engine, folder: string): Promise<{ windows: number; wall: number }> {
  const client = engine.client();
  const { id: libraryId } = await client.call('libraries.open', { folder });
  const started = performance.now();
  const { jobId } = await client.call('import.start', { libraryId });
  for (;;) {
    const { finishedAt, error, progress } = await client.call('jobs.get', { jobId });
    if (error) throw new Error(error.message);
    if (finishedAt !== null) return { windows: progress.windows, wall: performance.now() - started };
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

/** Milliseconds a window of the graphs in this process, with as many threads as an import gives them. */
async function embeddingAlone(windows: number): Promise<{ cpu: number; wall: number }> {
  const pack = await readPack(compactPackFolder());
  const runtime = await openRuntime(pack);
  const waveforms = new Random(1).normals(BATCH * pack.manifest.windowSamples).map((value) => 0.1 * value);
  await runtime.embed(waveforms, BATCH);
  const runs = Math.ceil(windows / BATCH);
  const { cpu, wall } = await spentOn(async () => {
    for (let i = 0; i < runs; i++) await runtime.embed(waveforms, BATCH);
  });
  await runtime.close();
  return { cpu: cpu / (runs * BATCH), wall: wall / (runs * BATCH) };
}

/** Processor seconds of this process and of the helpers that it started and that still run. */
function usedByParts(): Used {
  const used: Used = { engine: 0, readers: 0, embedder: 0 };
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // The name of the program, in parentheses, may hold blanks.
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      const own = Number(name) === process.pid;
      if (!own && Number(fields[1]) !== process.pid) continue;
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      const part = own ? 'engine' : parts.find((candidate) => command.includes(`${candidate}.js`));
      if (part) used[part] += (Number(fields[11]) + Number(fields[12])) / TICKS;
    } catch {
      // It has ended meanwhile.
    }
  }
  return used;
}
