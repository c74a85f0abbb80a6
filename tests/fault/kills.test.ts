import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { Random } from '../../models/numerics/random.ts';
import { bundled } from '../support/bundles.ts';
import { importFolder, reimport, startTestEngine } from '../support/engine.ts';
import { classSound, testFolder, writeMusic, writeSound } from '../support/music.ts';
import { killScenarios } from '../support/kills.ts';
import type { KillLine, KillScenario } from '../support/kills.ts';

/** How many kills; `KILLS=500 KILL_SEED=1 npx vitest run tests/fault/kills.test.ts` is the long campaign. */
const kills = Number(process.env['KILLS'] ?? 4);
const seed = Number(process.env['KILL_SEED'] ?? 1);
const NEW_SOUNDS = 24;

/** What must still be there, whatever was killed. */
interface Promised {
  labels: Map<string, string[]>;
  /** The edit that is under way. */
  trying: { trackId: string; labels: string[] } | null;
  vectors: Map<string, string>;
  stored: Set<string>;
  experiments: Set<string>;
  /** Files decoded whole, with the round whose process did it last. */
  decoded: Map<string, number>;
}

describe(`kill -9, ${kills} times, seed ${seed}`, () => {
  it(
    'loses nothing that was kept, and decodes at most one file again',
    { timeout: 60_000 + kills * 60_000 },
    async () => {
      const random = new Random(seed);
      const music = writeMusic({ perClass: 4, seconds: 0.8 });
      const first = await startTestEngine();
      const { library } = await importFolder(first.client, music);
      await first.client.call('taxonomies.create', {
        libraryId: library.id,
        source: { kind: 'folders' },
        name: 'Mine',
      });
      await first.engine.close();
      const exports = testFolder();
      const script = await bundled('tests/fault/kill-child.ts');
      const promised: Promised = {
        labels: new Map(),
        trying: null,
        vectors: new Map(),
        stored: new Set(),
        experiments: new Set(),
        decoded: new Map(),
      };
      /** The files that were decoded again, by the kill that made it necessary. */
      const again = Array.from({ length: kills }, () => new Set<string>());
      const most = (): number => Math.max(...again.map(({ size }) => size));
      const done = Object.fromEntries(killScenarios.map((scenario) => [scenario, 0]));
      for (let round = 0; round < kills; round++) {
        // Every other one is an import: it has the most under way.
        const scenario: KillScenario =
          round % 2 === 0
            ? 'import'
            : (killScenarios[1 + (((round - 1) / 2) % (killScenarios.length - 1))] ?? 'edit');
        if (scenario === 'import')
          for (let i = 0; i < NEW_SOUNDS; i++)
            writeSound(
              join(music, ['bass', 'mid', 'high'][i % 3] ?? '', `r${round}_${i}.wav`),
              classSound(['bass', 'mid', 'high'][i % 3] ?? '', 0.3, round * 1000 + i),
            );
        const settings = JSON.stringify(first.options);
        const child = spawn(process.execPath, [script, settings, music, exports, scenario], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        // An import is killed in the middle of its tracks, anything else at any time.
        const after = Math.floor(random.uniform() * 2 * NEW_SOUNDS);
        const delay = scenario === 'import' ? 6000 : Math.round(random.uniform() * 1500);
        let tracks = 0;
        let timer: NodeJS.Timeout | null = null;
        for await (const text of createInterface({ input: child.stdout })) {
          const line = JSON.parse(text) as KillLine;
          if (line.kind === 'begun-decoding') again[promised.decoded.get(line.path) ?? -1]?.add(line.path);
          check(line, promised, round);
          if (line.kind === 'decoded' || line.kind === 'stored') tracks++;
          if (line.kind === 'begun') timer = setTimeout(() => child.kill('SIGKILL'), delay);
          if (line.kind === 'over' || (scenario === 'import' && timer && tracks > after))
            child.kill('SIGKILL');
        }
        if (timer) clearTimeout(timer);
        if (child.exitCode === null && child.signalCode === null)
          await new Promise((resolve) => child.once('exit', resolve));
        expect(child.signalCode, `round ${round}, ${scenario}: ended by itself`).toBe('SIGKILL');
        done[scenario] = (done[scenario] ?? 0) + 1;
        if (kills > 20 && round % 20 === 19)
          console.log(`${round + 1} kills, redone at most ${most()}, ${JSON.stringify(done)}`);
      }
      console.log(
        `${kills} kills (${JSON.stringify(done)}): ${promised.labels.size} labels, ${promised.stored.size} tracks and ` +
          `${promised.experiments.size} experiments kept; decoded again: most ${most()}, ` +
          `in ${again.filter(({ size }) => size > 0).length} of ${kills}`,
      );
      expect(most()).toBeLessThanOrEqual(1);

      // The last one goes on to its end, and nothing lies about.
      const last = await startTestEngine(first.options);
      for (;;) {
        const jobs = await last.client.call('jobs.list', {});
        if (jobs.every(({ finishedAt }) => finishedAt !== null)) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await reimport(last.client, library.id);
      const { tracks } = await last.client.call('libraries.get', { libraryId: library.id });
      expect(tracks).toMatchObject({ failed: 0, missing: 0 });
      await last.engine.close();
      expect(readdirSync(exports).filter((name) => name.includes('partial'))).toEqual([]);
      expect(readdirSync(library.dataFolder)).not.toContain('decoded');
    },
  );
});

function check(line: KillLine, promised: Promised, round: number): void {
  switch (line.kind) {
    case 'state':
      for (const [id, labels] of promised.labels) {
        const now = line.labels[id] ?? [];
        // An edit that was under way may have been kept or not.
        if (promised.trying?.trackId !== id || now[0] !== promised.trying.labels[0])
          expect(now, `round ${round}: the labels of ${id}`).toEqual(labels);
        promised.labels.set(id, now);
      }
      promised.trying = null;
      for (const id of promised.stored) expect(line.vectors[id], `round ${round}: track ${id}`).toBeDefined();
      for (const [id, digest] of promised.vectors)
        expect(line.vectors[id], `round ${round}: the vectors of ${id}`).toBe(digest);
      promised.vectors = new Map(Object.entries(line.vectors));
      for (const id of promised.experiments) expect(line.experiments, `round ${round}`).toContain(id);
      promised.experiments = new Set(line.experiments);
      return;
    case 'trying':
      promised.trying = line;
      return;
    case 'ack':
      promised.trying = null;
      promised.labels.set(line.trackId, line.labels);
      return;
    case 'trained':
      promised.experiments.add(line.experimentId);
      return;
    case 'stored':
      promised.stored.add(line.id);
      return;
    case 'decoded':
      promised.decoded.set(line.path, round);
      return;
    case 'begun-decoding':
    case 'begun':
    case 'over':
  }
}
