import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { encodeWav } from '../../models/audio/index.ts';
import { Random } from '../../models/numerics/random.ts';
import { runCli } from '../support/cli.ts';
import { testFolder } from '../support/music.ts';

const CELL = /(^|[\\/])[0-9a-f]{24}\.json$/;

/** Every file of the evaluations in a data folder, what is kept of vectors included, by path; none before there are any. */
function contents(library: string): Map<string, string> {
  const root = join(library, 'evaluations');
  let names: string[] = [];
  try {
    names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  } catch {
    return new Map();
  }
  return new Map(
    names
      .filter((name) => /\.(json|f32|yml)$/.test(name))
      .sort()
      .map((name) => [name, readFileSync(join(root, name)).toString('base64')]),
  );
}

function names(library: string, of: RegExp): number {
  return [...contents(library).keys()].filter((name) => of.test(name)).length;
}

it('goes on to the same bytes after kill -9: while embedding, and while scoring', async () => {
  const folder = testFolder();
  const random = new Random(7);
  for (const [name, hertz] of Object.entries({ a: 440, 'e-flat': 311.13 })) {
    mkdirSync(join(folder, 'notes', name), { recursive: true });
    for (let take = 0; take < 6; take++) {
      const samples = Float32Array.from(
        { length: 24_000 },
        (_, n) => 0.05 * (take + 1) * Math.sin((2 * Math.PI * hertz * n) / 24_000) + 0.02 * random.normal(),
      );
      writeFileSync(join(folder, 'notes', name, `${take}.wav`), encodeWav(samples, 24_000, 'float32'));
    }
  }
  const file = join(folder, 'evaluation.yml');
  writeFileSync(
    file,
    `experiments:
  - task: { type: multiclass_classification }
    datasets:
      - name: notes
        type: folders
        dir: notes
        deformations: [[{ type: AddGaussianSNR, params: { min_snr_in_db: 10, max_snr_in_db: 10 } }]]
    features: [chroma, mfcc]
    probes: [{ type: knn, k: 1 }, { type: linear }, { type: prototypes, per_class: 1, steps: 1000 }]
    split: { kind: folds, folds: 3 }
`,
  );
  const run = (library: string) => ['evaluate', file, '--library', library];
  const whole = join(folder, 'whole');
  const first = await runCli(run(whole));
  expect(first.code, first.stderr).toBe(0);

  const killed = join(folder, 'killed');
  const moments: (() => boolean)[] = [() => names(killed, /\.f32$/) > 2, () => names(killed, CELL) > 3];
  for (const [moment, isNow] of moments.entries()) {
    let timer: NodeJS.Timeout | undefined;
    const ended = await runCli(run(killed), {
      onStart: (kill) => {
        timer = setInterval(() => {
          if (isNow()) kill('SIGKILL');
        }, 5);
      },
    });
    clearInterval(timer);
    expect(ended.signal, `moment ${moment} ended by itself`).toBe('SIGKILL');
  }
  expect(names(killed, CELL)).toBeLessThan(36);
  const last = await runCli(run(killed));
  expect(last.code, last.stderr).toBe(0);
  expect(last.stdout).toBe(first.stdout);
  expect(names(killed, CELL)).toBe(36);
  expect(contents(killed)).toEqual(contents(whole));
}, 600_000);
