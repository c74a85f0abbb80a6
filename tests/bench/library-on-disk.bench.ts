/**
 * Neighbours and similar sounds in a library as it is used, its vectors in memory and in a file: how long the first and the
 * later questions take, how much memory the engine holds, and that the answers are the same.
 * `node scripts/bench.mjs library-on-disk`; ARCHETONE_BENCH_TRACKS (default 100000): tracks of three windows of 256 numbers.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findPlaces } from '../../cli/places.ts';
import { helpersOf } from '../../cli/helpers.ts';
import { createEngine, type Engine } from '../../engine/engine.ts';
import { machine, spentOn } from './meter.ts';
import { fillLibrary } from './scale-library.ts';

const tracks = Number(process.env['ARCHETONE_BENCH_TRACKS'] ?? 100_000);
const QUESTIONS = 8;

export async function run(): Promise<void> {
  const root = resolve(import.meta.dirname, '../..');
  const folder = mkdtempSync(join(process.env['ARCHETONE_BENCH_FOLDER'] ?? tmpdir(), 'archetone-on-disk-'));
  const [music, dataFolder] = [join(folder, 'music'), join(folder, 'data')];
  for (const made of [music, dataFolder]) mkdirSync(made);
  console.log(`${machine()}; ${tracks} tracks, ${3 * tracks} windows`);
  try {
    const { embedder, readers, ...places } = findPlaces(root);
    const start = (): Promise<Engine> =>
      createEngine({ ...places, ...helpersOf({ embedder, readers }), dataFolder });
    let engine = await start();
    const { id: libraryId, dataFolder: own } = await engine
      .client()
      .call('libraries.open', { folder: music });
    await engine.close();
    fillLibrary(own, tracks);
    const answers: string[] = [];
    for (const vectorsInMemory of [0, 0, 10_000]) {
      engine = await start();
      const client = engine.client();
      await client.call('preferences.change', { change: { vectorsInMemory } });
      global.gc?.();
      const before = process.memoryUsage.rss();
      let most = before;
      const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
      const answer: unknown[] = [];
      const ask = async (q: number): Promise<void> => {
        const trackId = `track-${String((q * 7919) % tracks).padStart(6, '0')}`;
        const target = { kind: 'window', trackId, windowIndex: 1 } as const;
        answer.push(
          await client.call('neighbours.query', {
            libraryId,
            target,
            level: 'window',
            k: 10,
            metric: 'euclidean',
          }),
        );
      };
      const times: string[] = [];
      for (let q = 0; q < QUESTIONS; q++) {
        const { wall, cpu } = await spentOn(() => ask(q));
        times.push(`${cpu.toFixed(0)}/${wall.toFixed(0)}`);
      }
      const target = { kind: 'window', trackId: 'track-000007', windowIndex: 1 } as const;
      const similar = await spentOn(async () =>
        answer.push(
          await client.call('neighbours.similar', {
            libraryId,
            queries: [{ of: target }],
            level: 'window',
            k: 20,
          }),
        ),
      );
      clearInterval(watch);
      const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
      console.log(
        `${vectorsInMemory === 0 ? 'from a file' : 'from memory'}: questions one after the other, ms of the processor/by the clock: ${times.join(' ')}; similar ${similar.cpu.toFixed(0)}/${similar.wall.toFixed(0)}; memory beside the start ${mib(process.memoryUsage.rss() - before)}, at most ${mib(most - before)}`,
      );
      answers.push(JSON.stringify(answer));
      await engine.close();
    }
    console.log(answers.every((answer) => answer === answers[0]) ? 'the same answers' : 'OTHER ANSWERS');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
