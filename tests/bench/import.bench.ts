/**
 * What an import costs beside the embedding alone: processor seconds for a window of all processes that take part (decoding,
 * resampling, hashing, peaks, storing), and of the graphs with nothing around them, in one run. Needs a build (`npm run
 * build`), ffmpeg, which makes the files, and Linux, which says what other processes used.
 *
 * ARCHETONE_BENCH_FILES (default 12): files of each format, of a minute each.
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

const files = Number(process.env['ARCHETONE_BENCH_FILES'] ?? 12);
const SECONDS = 60;
const BATCH = 4;
/** Of the clock that the kernel counts processor time by. */
const TICKS = 100;
const formats: Record<string, string[]> = {
  wav: ['-c:a', 'pcm_s16le'],
  flac: ['-c:a', 'flac'],
  mp3: ['-c:a', 'libmp3lame', '-b:a', '192k'],
};

export async function run(): Promise<void> {
  const places = findPlaces(resolve(import.meta.dirname, '../..'));
  if (places.embedder === null || process.platform !== 'linux') {
    console.log('skipped: build first, on Linux');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'archetone-import-'));
  const { embedder, readers, ...rest } = places;
  const dataFolder = join(folder, 'data');
  mkdirSync(dataFolder);
  const engine = await createEngine({ ...rest, ...helpersOf({ embedder, readers }), dataFolder });
  try {
    console.log(machine());
    // Opens the graphs and starts the decoders.
    await imported(engine, makeMusic(folder, 'first', 'wav', 1));
    const rows = [];
    for (const format of Object.keys(formats)) {
      const music = makeMusic(folder, format, format, files);
      const before = usedByAll();
      const windows = await imported(engine, music);
      rows.push({ format, windows, importMs: (1000 * (usedByAll() - before)) / windows });
    }
    const alone = await embeddingAlone(files * (SECONDS / 4));
    console.log(`embedding alone: ${alone.toFixed(1)} ms of the processor for a window`);
    console.table(
      rows.map(({ format, windows, importMs }) => ({
        format,
        windows,
        'import, CPU ms a window': importMs.toFixed(1),
        'embedding, % of it': ((100 * alone) / importMs).toFixed(0),
      })),
    );
  } finally {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Chords that change, in stereo at 44.1 kHz: what compresses like music. */
function makeMusic(folder: string, name: string, format: string, count: number): string {
  const music = join(folder, name);
  mkdirSync(music);
  for (let i = 0; i < count; i++) {
    const tone = (ratio: number): string =>
      `0.15*sin(2*PI*${110 * ratio + 7 * i}*(1+0.5*floor(mod(t\\,3)))*t)`;
    const sound = `aevalsrc=${tone(1)}+${tone(1.25)}+0.05*random(0)|${tone(1)}+${tone(1.5)}:s=44100:d=${SECONDS}`;
    const target = join(music, `${name} ${i}.${format}`);
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', sound, ...(formats[format] ?? []), target]);
  }
  return music;
}

async function imported(engine: Engine, folder: string): Promise<number> {
  const client = engine.client();
  const { id: libraryId } = await client.call('libraries.open', { folder });
  const { jobId } = await client.call('import.start', { libraryId });
  for (;;) {
    const { finishedAt, error, progress } = await client.call('jobs.get', { jobId });
    if (error) throw new Error(error.message);
    if (finishedAt !== null) return progress.windows;
    await new Promise((wake) => setTimeout(wake, 100));
  }
}

async function embeddingAlone(windows: number): Promise<number> {
  const pack = await readPack(compactPackFolder());
  const runtime = await openRuntime(pack, { threads: 1 });
  const waveforms = new Random(1).normals(BATCH * pack.manifest.windowSamples).map((value) => 0.1 * value);
  await runtime.embed(waveforms, BATCH);
  const runs = Math.ceil(windows / BATCH);
  const { cpu } = await spentOn(async () => {
    for (let i = 0; i < runs; i++) await runtime.embed(waveforms, BATCH);
  });
  await runtime.close();
  return cpu / (runs * BATCH);
}

/** Processor seconds of this process and all that it started and that still run. */
function usedByAll(): number {
  const processes = new Map<number, { parent: number; seconds: number }>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // The name of the program, in parentheses, may hold blanks.
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      const seconds = (Number(fields[11]) + Number(fields[12])) / TICKS;
      processes.set(Number(name), { parent: Number(fields[1]), seconds });
    } catch {
      // It has ended meanwhile.
    }
  }
  const own = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = processes.get(at)?.parent)
      if (at === process.pid) return true;
    return false;
  };
  return [...processes].reduce((sum, [pid, { seconds }]) => sum + (own(pid) ? seconds : 0), 0);
}
