/**
 * Embedding by the compact pack against PyTorch eager (with ARCHETONE_PYTHON), by batch and threads. Both sides take turns; medians of CPU and wall milliseconds for a window of four seconds.
 *
 * ARCHETONE_BENCH_ROUNDS (default 5): how often both sides are measured.
 * ARCHETONE_BENCH_LOAD (default 0, or several: 0,4): busy processes that are started beside.
 */
import { availableParallelism } from 'node:os';
import * as z from 'zod';
import { Random } from '../../models/numerics/random.ts';
import { compactPackFolder, openRuntime, readPack, type PackRuntime } from '../../models/packs/index.ts';
import { machine, median, Peer, spentOn, underLoad, type Spent } from './meter.ts';

const BATCHES = [1, 2, 4, 8, 16];
/** Windows that one measurement embeds, about. */
const WINDOWS = 16;
const spentSchema = z.object({ cpu: z.number(), wall: z.number() });

/** Prints a table for each load. */
export async function run(): Promise<void> {
  const pack = await readPack(compactPackFolder());
  const peer = Peer.start('peer_embed.py');
  if (peer === null) console.log('embed: PyTorch skipped (set ARCHETONE_PYTHON to a Python with PyTorch)');
  for (const burners of (process.env['ARCHETONE_BENCH_LOAD'] ?? '0').split(',').map(Number))
    await underLoad(burners, async () => {
      for (const threads of new Set([1, availableParallelism()])) {
        const runtime = await openRuntime(pack, { threads });
        print(await compare(runtime, peer, threads), `${threads} threads, ${burners} busy processes beside`);
        await runtime.close();
      }
    });
  peer?.close();
}

interface Row {
  batch: number;
  ours: Spent;
  theirs: Spent | null;
}

async function compare(runtime: PackRuntime, peer: Peer | null, threads: number): Promise<Row[]> {
  const rounds = Number(process.env['ARCHETONE_BENCH_ROUNDS'] ?? 5);
  const rows: Row[] = [];
  for (const batch of BATCHES) {
    const repeats = Math.ceil(WINDOWS / batch);
    const waveforms = new Random(1)
      .normals(batch * runtime.pack.manifest.windowSamples)
      .map((value) => 0.1 * value);
    await runtime.embed(waveforms, batch);
    const [ours, theirs]: [Spent[], Spent[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      const { cpu, wall } = await spentOn(async () => {
        for (let i = 0; i < repeats; i++) await runtime.embed(waveforms, batch);
      });
      ours.push({ cpu: cpu / (repeats * batch), wall: wall / (repeats * batch) });
      if (peer) theirs.push(spentSchema.parse(await peer.ask({ batch, threads, repeats })));
    }
    rows.push({ batch, ours: middle(ours), theirs: peer && middle(theirs) });
  }
  return rows;
}

function middle(all: readonly Spent[]): Spent {
  return { cpu: median(all.map(({ cpu }) => cpu)), wall: median(all.map(({ wall }) => wall)) };
}

function print(rows: readonly Row[], title: string): void {
  console.log(`\n${title} · ${machine()}; milliseconds for a window`);
  const text = (value: number | undefined): string => value?.toFixed(1) ?? '–';
  console.table(
    rows.map(({ batch, ours, theirs }) => ({
      batch,
      'CPU ms': text(ours.cpu),
      'wall ms': text(ours.wall),
      'PyTorch CPU ms': text(theirs?.cpu),
      'PyTorch wall ms': text(theirs?.wall),
    })),
  );
  const ratio = (kind: keyof Spent): string => {
    const best = (side: 'ours' | 'theirs'): number =>
      Math.min(...rows.map((row) => row[side]?.[kind] ?? Infinity));
    return (best('theirs') / best('ours')).toFixed(2);
  };
  if (rows.some(({ theirs }) => theirs))
    console.log(
      `best batch against PyTorch's best: ${ratio('cpu')} × by CPU time, ${ratio('wall')} × by wall clock`,
    );
}
