import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../models/audio/index.ts';
import { runCli } from '../support/cli.ts';
import { testFolder } from '../support/music.ts';

const yaml = `experiments:
  - task: { name: notes, type: multiclass_classification }
    datasets:
      - name: "notes, 5 % & more"
        type: folders
        dir: notes
        deformations: [[{ type: Gain, params: { min_gain_in_db: -6, max_gain_in_db: -6 } }]]
    features: [chroma]
    probes: [{ type: knn, k: 1 }]
    split: { kind: folds, folds: 2 }
`;

describe('archetone evaluate', { timeout: 180_000 }, () => {
  let folder: string;
  let file: string;

  /** Two notes, four recordings each. */
  beforeAll(() => {
    folder = testFolder();
    file = join(folder, 'evaluation.yml');
    writeFileSync(file, yaml);
    for (const [name, hertz] of Object.entries({ a: 440, 'e-flat': 311.13 })) {
      mkdirSync(join(folder, 'notes', name), { recursive: true });
      for (let take = 0; take < 4; take++) {
        const samples = Float32Array.from(
          { length: 12_000 },
          (_, n) => 0.05 * (take + 1) * Math.sin((2 * Math.PI * hertz * n) / 24_000),
        );
        writeFileSync(join(folder, 'notes', name, `${take}.wav`), encodeWav(samples, 24_000, 'float32'));
      }
    }
  });

  it('prints the table, and writes it as CSV and LaTeX', async () => {
    const [library, csv, latex] = ['data', 'table.csv', 'table.tex'].map((name) => join(folder, name));
    const run = await runCli([
      'evaluate',
      file,
      '--library',
      library ?? '',
      '--csv',
      csv ?? '',
      '--latex',
      latex ?? '',
    ]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toContain('4 of 4 cells');
    expect(run.stdout).toContain('100.0 ± 0.0 %');
    // A note played softer or louder is the same note; two runs of equal outcome leave no doubt.
    const rows = readFileSync(csv ?? '', 'utf8').split('\n');
    expect(rows[0]).toBe(
      'dataset,space,probe,deformation,metric,mean,interval,runs,tested,packSha256,version',
    );
    for (const deformation of ['clean', 'gain −6 dB'])
      expect(rows).toContainEqual(
        expect.stringContaining(`"notes, 5 % & more",chroma,1-NN,${deformation},accuracy,1,0,2,8,`),
      );
    const tex = readFileSync(latex ?? '', 'utf8');
    expect(tex).toContain('\\begin{tabular}{lllllr}');
    // What made it goes along.
    expect(tex).toMatch(/^% Archetone \S+; packs: chroma \S+ \([0-9a-f]{12}\)/);
    expect(rows[1]).toMatch(/,[0-9a-f]{64},[^,]+$/);
    expect(tex).toContain('notes, 5 \\% \\& more & chroma & 1-NN & clean & accuracy & 100.0 $\\pm$ 0.0 \\\\');
  });

  it('finds folders elsewhere by --place, and does one step', async () => {
    const elsewhere = join(testFolder(), 'elsewhere');
    cpSync(join(folder, 'notes'), elsewhere, { recursive: true });
    const library = join(testFolder(), 'data');
    const args = ['evaluate', file, '--library', library, '--place', `notes=${elsewhere}`];
    const run = await runCli([...args, '--step', 'train', '--json']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.json()).toMatchObject({ cells: 2, planned: 4 });
  });

  it('says what is wrong, and writes nothing', async () => {
    const library = join(testFolder(), 'data');
    const nowhere = await runCli(['evaluate', join(folder, 'none.yml'), '--library', library, '--json']);
    expect(nowhere.code).toBe(3);
    expect(nowhere.json()).toMatchObject({ error: { code: 'not-found' } });
    const bad = join(folder, 'bad.yml');
    writeFileSync(bad, 'experiments: 7');
    const csv = join(folder, 'bad.csv');
    const run = await runCli(['evaluate', bad, '--library', library, '--csv', csv]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('The evaluation cannot be run: experiments');
    expect(existsSync(csv)).toBe(false);
    const place = await runCli(['evaluate', file, '--library', library, '--place', 'notes']);
    expect(place.code).toBe(2);
  });
});
