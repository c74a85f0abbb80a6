import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { forkHelper } from '../../engine/helpers/process.ts';
import { Random } from '../../models/numerics/random.ts';
import { bundled } from '../support/bundles.ts';
import { startTestEngine } from '../support/engine.ts';
import { testFolder, writeMusic } from '../support/music.ts';
import { endlessLoop, hugeConstant } from '../support/hostile-graphs.ts';
import { writeTinyPack } from '../support/tiny-pack.ts';

/** How many packs; `HOSTILE_PACKS=60 HOSTILE_SEED=1 npx vitest run tests/fault/hostile-packs.test.ts` is the long campaign. */
const count = Number(process.env['HOSTILE_PACKS'] ?? 6);
const seed = Number(process.env['HOSTILE_SEED'] ?? 1);
const limits = { runMs: 1000, openMs: 2000, memory: 2 ** 30 };
/** A run is tried once more, in another process. The rest is what a loaded machine takes to start two of them. */
const LONGEST_MS = 2 * (limits.runMs + limits.openMs) + 40_000;

/** Puts one thing of a pack in disorder. */
type Harm = (folder: string, random: Random) => Promise<void>;

const mutated =
  (change: (bytes: Buffer, random: Random) => Buffer): Harm =>
  async (folder, random) => {
    await writeTinyPack(folder, { seed: 1, id: 'compact' });
    const graph = ['features', 'encoder', 'summary'][random.integer(3)] ?? 'features';
    const bytes = change(Buffer.from(readFileSync(join(folder, `${graph}.onnx`))), random);
    // Written with the hash that the manifest then tells.
    await writeTinyPack(folder, { seed: 1, id: 'compact', replace: { [graph]: new Uint8Array(bytes) } });
  };

const harms: Record<string, Harm> = {
  'a loop without an end': async (folder) => {
    await writeTinyPack(folder, { seed: 1, id: 'compact', replace: { features: endlessLoop() } });
  },
  'more memory than there is': async (folder, random) => {
    const graph = hugeConstant(4 + random.integer(60));
    await writeTinyPack(folder, { seed: 1, id: 'compact', replace: { features: graph } });
  },
  'changed bytes': mutated((bytes, random) => {
    for (let i = 0; i < 1 + random.integer(20); i++)
      bytes[random.integer(bytes.length)] = random.integer(256);
    return bytes;
  }),
  'a graph cut short': mutated((bytes, random) => bytes.subarray(0, random.integer(bytes.length))),
  'a pipe for a manifest': async (folder) => {
    await writeTinyPack(folder, { seed: 1, id: 'compact' });
    rmSync(join(folder, 'pack.json'));
    if (process.platform === 'win32') writeFileSync(join(folder, 'pack.json'), '');
    else execFileSync('mkfifo', [join(folder, 'pack.json')]);
  },
  'numbers that are none': async (folder, random) => {
    await writeTinyPack(folder, { seed: 1, id: 'compact' });
    const path = join(folder, 'pack.json');
    const odd = ['1e308', '-1', '0', '"x"', 'null', '[]', '4294967296', '{}'];
    let left = random.integer(8);
    const text = readFileSync(path, 'utf8').replace(/: \d+(?=[,\n])/g, (number) =>
      left-- === 0 ? `: ${odd[random.integer(odd.length)] ?? '0'}` : number,
    );
    writeFileSync(path, text);
  },
};

describe(`${count} hostile packs, seed ${seed}`, () => {
  it(
    'hang nothing longer than the limit, and none comes back after a restart',
    { timeout: count * 2 * LONGEST_MS },
    async () => {
      const embedder = forkHelper(await bundled('engine/embedder/entry.ts'));
      const random = new Random(seed);
      const names = Object.keys(harms);
      const tally: Record<string, number> = {};
      let [longest, slowest] = [0, 0];
      for (let i = 0; i < count; i++) {
        const name = names[i % names.length] ?? '';
        const packs = testFolder();
        await harms[name]?.(join(packs, 'compact'), random);
        const engine = await startTestEngine({ packFolders: [packs], embedder, embedderLimits: limits });
        const { client } = engine;
        const { id: libraryId } = await client.call('libraries.open', {
          folder: writeMusic({ perClass: 1 }),
        });
        const { jobId } = await client.call('import.start', { libraryId });
        const begun = performance.now();
        let outcome = '';
        while (outcome === '') {
          const asked = performance.now();
          const job = await client.call('jobs.get', { jobId });
          slowest = Math.max(slowest, performance.now() - asked);
          const took = performance.now() - begun;
          if (job.finishedAt !== null) outcome = job.error?.code ?? job.state;
          else if (took > LONGEST_MS) throw new Error(`${name} (${i}) still runs after ${took} ms`);
          longest = Math.max(longest, took);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        // A mutant may still be a model. Whatever fails says what is wrong with it.
        expect(['done', 'pack', 'audio', 'not-found'], `${name} (${i}): ${outcome}`).toContain(outcome);
        tally[`${name}: ${outcome}`] = (tally[`${name}: ${outcome}`] ?? 0) + 1;
        const again = await engine.restart();
        const jobs = await again.client.call('jobs.list', {});
        expect(
          jobs.every(({ finishedAt }) => finishedAt !== null),
          `${name} (${i})`,
        ).toBe(true);
        expect(await again.client.call('libraries.list', {})).toHaveLength(1);
        await again.engine.close();
      }
      console.log(
        `${count} packs, longest ${(longest / 1000).toFixed(1)} s, slowest answer meanwhile ${slowest.toFixed(0)} ms`,
        tally,
      );
    },
  );
});
