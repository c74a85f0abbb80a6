import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { writeMidiFile } from '../../models/melody/midi.ts';
import { runCli, type CliRun } from '../support/cli.ts';
import { classSound, testFolder, writeMusic, writeSound } from '../support/music.ts';
import { readWav } from '../support/wav.ts';

const errorSchema = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string().min(1), hint: z.string() }),
});

const codeOf = (run: CliRun): string => errorSchema.parse(run.json()).error.code;
const trainArguments = [
  '--taxonomy',
  'folders',
  '--prototypes',
  '2',
  '--steps',
  '60',
  '--minimum-tracks',
  '3',
];

describe('the command line', { timeout: 180_000 }, () => {
  let library: string;
  let music: string;
  let experiment: string;

  beforeAll(async () => {
    library = join(testFolder(), 'library');
    music = writeMusic({ perClass: 6 });
    writeFileSync(join(music, 'broken.mp3'), 'no music');
    const imported = await runCli(['import', music, '--library', library, '--json']);
    expect(imported.code, imported.stderr).toBe(0);
    expect(imported.json()).toMatchObject({
      library: { tracks: { ready: 18, failed: 1 } },
      import: { imported: 18, failed: 1 },
      failures: [{ path: 'broken.mp3', problem: { code: 'audio' } }],
    });
    const trained = await runCli(['train', '--library', library, ...trainArguments, '--json']);
    expect(trained.code, trained.stderr).toBe(0);
    experiment = z.object({ experiment: z.object({ id: z.string() }) }).parse(trained.json()).experiment.id;
  }, 180_000);

  it('skips unchanged files the second time, and shows progress on standard error only', async () => {
    const again = await runCli(['import', music, '--library', library]);
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/unchanged\s+18/);
    expect(again.stdout).toContain('broken.mp3');
    expect(again.stdout).not.toContain('\u001b');
    const fresh = await runCli(['import', music, '--library', join(testFolder(), 'other'), '--windows', '2']);
    expect(fresh.code).toBe(0);
    expect(fresh.stderr).toMatch(/files/);
    expect(fresh.stderr).not.toContain('\u001b');
  });

  it('trains one classifier that looks at two spaces, and says what each view does alone', async () => {
    const own = join(testFolder(), 'views');
    const imports = [
      ['import', music, '--library', own, '--pack', 'mfcc'],
      ['import', music, '--library', own, '--pack', 'compact'],
    ];
    for (const command of imports) expect((await runCli(command)).code).toBe(0);
    const views = ['--view', 'compact', '--view', 'mfcc'];
    const run = await runCli(['train', '--library', own, ...trainArguments, ...views]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/compact\s+[\d.]+ %/);
    expect(run.stdout).toMatch(/mfcc\s+[\d.]+ %/);
    const prototypes = async (): Promise<string[]> =>
      (await runCli(['prototypes', 'list', own])).stdout.trim().split('\n').slice(1);
    const before = await prototypes();
    expect(before).toHaveLength(12);
    expect(before.map((row) => /\b[01] (compact|mfcc)\b/.exec(row)?.[1])).toEqual([
      ...new Array<string>(6).fill('compact'),
      ...new Array<string>(6).fill('mfcc'),
    ]);
    const [track] = z
      .object({ tracks: z.array(z.object({ id: z.string() })) })
      .parse((await runCli(['tracks', '--library', own, '--json'])).json()).tracks;
    const add = (view: string) =>
      runCli(['prototypes', 'add', own, 'bass', '--view', view, '--tracks', track?.id ?? '', '--json']);
    expect((await add('1')).code).toBe(0);
    expect((await prototypes()).at(-1)).toContain('1 mfcc');
    const none = await add('2');
    expect([codeOf(none), none.stdout]).toEqual(['not-found', expect.stringContaining('no view 2')]);
    const bundle = join(testFolder(), 'bundle');
    const exporting = ['export', '--library', own, '--experiment', 'latest', '--out', bundle];
    const written = await runCli([...exporting, '--formats', 'csv,onnx']);
    expect(written.code, written.stderr).toBe(0);
    expect(readdirSync(join(bundle, 'views')).sort()).toEqual(['1 compact', '2 mfcc']);
    expect(readFileSync(join(bundle, 'joint.csv'), 'utf8').trim().split('\n')).toHaveLength(15);
    expect(existsSync(join(bundle, 'classifier.onnx'))).toBe(true);
    expect(
      codeOf(
        await runCli([
          'train',
          '--library',
          own,
          ...trainArguments,
          '--view',
          'compact',
          '--view',
          'chroma',
          '--json',
        ]),
      ),
    ).toBe('not-found');
  });

  it('refuses a second music folder in one data folder', async () => {
    const run = await runCli(['import', writeMusic({ perClass: 1 }), '--library', library, '--json']);
    expect(run.code).toBe(2);
    expect(codeOf(run)).toBe('bad-input');
    expect((await runCli(['train', '--library', library, ...trainArguments])).code).toBe(0);
  });

  it('prints metrics and uses the taxonomy again', async () => {
    const run = await runCli(['train', '--library', library, ...trainArguments, '--seed', '2']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/experiment\s+\S+/);
    expect(run.stdout).toMatch(/test\s+\d+\s+[\d.]+ %/);
    const reduced = join(testFolder(), 'reduced');
    const json = await runCli([
      'reduce',
      library,
      '--method',
      'MChen',
      '--param',
      '20',
      '--out',
      reduced,
      '--json',
    ]);
    expect(json.json()).toMatchObject({
      reduction: { taxonomyName: expect.any(String) as string, labels: ['bass', 'high', 'mid'] },
    });
    expect(readdirSync(reduced).sort()).toEqual([
      'manifest.json',
      'playlists',
      'prototypes.csv',
      'prototypes.npz',
      'split.csv',
    ]);
  });

  it('classifies a file: scores, contributions, classes of windows', async () => {
    const file = join(testFolder(), 'new.wav');
    writeSound(file, classSound('high', 1.2, 5));
    const run = await runCli(['classify', file, '--library', library, '--experiment', experiment, '--json']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.json()).toMatchObject({
      experimentId: experiment,
      files: [
        {
          path: file,
          prediction: 'high',
          problem: null,
          windows: [{ class: 'high' }, { class: 'high' }, {}],
        },
      ],
    });
    const text = await runCli(['classify', music, '--library', library, '--experiment', 'latest']);
    expect(text.code).toBe(0);
    expect(text.stdout).toContain('broken.mp3');
  });

  it('says of damage in a file that it classifies or embeds', async () => {
    const folder = testFolder();
    const [cut, whole] = ['cut.wav', 'whole.wav'].map((name) => join(folder, name)) as [string, string];
    writeSound(whole, classSound('high', 1.2, 6));
    const bytes = readFileSync(whole);
    writeFileSync(cut, bytes.subarray(0, bytes.length / 2));
    const classify = ['classify', folder, '--library', library, '--experiment', experiment];
    const note = expect.stringContaining('incomplete') as string;
    expect((await runCli([...classify, '--json'])).json()).toMatchObject({
      files: [
        { path: cut, note, problem: null },
        { path: whole, note: null, problem: null },
      ],
    });
    expect((await runCli(classify)).stdout).toMatch(/cut\.wav .*damaged, but read: .*incomplete/);
    const embed = ['embed', folder, '--out', join(testFolder(), 'z.npz')];
    const embedded = (await runCli([...embed, '--json'])).json();
    expect(embedded).toMatchObject({ tracks: 2, failures: [], damaged: [{ path: cut, note }] });
    expect((await runCli(embed)).stdout).toMatch(/cut\.wav .*damaged, but read: .*incomplete/);
  });

  it('finds neighbours of files inside and outside the library', async () => {
    const inside = join(music, 'bass', 'bass_hit_0.wav');
    const run = await runCli(['neighbours', inside, '--library', library, '-k', '3', '--copies', '--json']);
    const schema = z.object({
      files: z.array(z.object({ inLibrary: z.boolean() })),
      neighbours: z.array(z.object({ path: z.string() })),
    });
    const found = schema.parse(run.json());
    expect(found.files).toEqual([{ inLibrary: true }]);
    expect(found.neighbours).toHaveLength(3);
    expect(
      found.neighbours.every(({ path }) => path.startsWith('bass/') && path !== 'bass/bass_hit_0.wav'),
    ).toBe(true);
    const outside = join(testFolder(), 'mid.wav');
    writeSound(outside, classSound('mid', 1, 9));
    const other = schema.parse(
      (await runCli(['similar', outside, '--library', library, '-k', '2', '--copies', '--json'])).json(),
    );
    expect(other.files).toEqual([{ inLibrary: false }]);
    expect(other.neighbours.every(({ path }) => path.startsWith('mid/'))).toBe(true);
    const mixed = async (weights: string): Promise<string[]> => {
      const args = [
        'neighbours',
        inside,
        outside,
        '--weights',
        weights,
        '--library',
        library,
        '-k',
        '1',
        '--copies',
        '--json',
      ];
      return schema.parse((await runCli(args)).json()).neighbours.map(({ path }) => path.split('/')[0] ?? '');
    };
    expect([await mixed('200,1'), await mixed('1,200')]).toEqual([['bass'], ['mid']]);
    const wrong = await runCli(['neighbours', inside, '--weights', '1,2', '--library', library, '--json']);
    expect([wrong.code, wrong.stdout]).toEqual([2, expect.stringContaining('2 weights for 1 file.')]);
  });

  it('lists the tracks that a search finds, and says what is wrong with one', async () => {
    const list = async (...args: string[]) => runCli(['tracks', '--library', library, ...args]);
    const found = await list('--json', 'file:"bass/"', '--', '-hit_0', 'len>0.1');
    expect(found.json()).toMatchObject({ search: 'file:"bass/" -hit_0 len>0.1' });
    const { tracks } = z.object({ tracks: z.array(z.object({ path: z.string() })) }).parse(found.json());
    expect(tracks.length).toBeGreaterThan(0);
    expect(tracks.every(({ path }) => path.startsWith('bass/') && !path.includes('hit_0'))).toBe(true);
    expect((await list('--limit', '1')).stdout).toMatch(/\n1 of \d+ tracks\n$/);
    const wrong = await list('lable:bass', '--json');
    expect(wrong.code).not.toBe(0);
    expect(wrong.json()).toMatchObject({
      error: { code: 'bad-input', message: 'There is no field “lable”.' },
    });
  });

  it('knows a file of the library by a path that is longer than any search', async () => {
    const deep = join(testFolder(), 'music');
    const folder = join(deep, 'a'.repeat(150), 'b'.repeat(150), 'c'.repeat(150));
    mkdirSync(folder, { recursive: true });
    writeSound(join(folder, 'one.wav'), classSound('mid', 1, 1));
    writeSound(join(folder, 'other.wav'), classSound('mid', 1, 2));
    const own = join(testFolder(), 'library');
    expect((await runCli(['import', deep, '--library', own])).code).toBe(0);
    const run = await runCli(['neighbours', join(folder, 'one.wav'), '--library', own, '--json']);
    expect(run.json()).toMatchObject({ files: [{ inLibrary: true }], neighbours: [{ title: 'other' }] });
  });

  it('embeds files without a library', async () => {
    const out = join(testFolder(), 'z.npz');
    const run = await runCli(['embed', join(music, 'mid'), '--out', out, '--json']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.json()).toMatchObject({ file: out, tracks: 6, dim: 32, failures: [] });
    expect(Object.keys(unzipSync(readFileSync(out))).sort()).toEqual([
      'paths.npy',
      'start_seconds.npy',
      'track_of.npy',
      'track_z.npy',
      'z.npy',
    ]);
  });

  it('sonifies the prototypes of a class', async () => {
    const out = join(testFolder(), 'sounds');
    const run = await runCli([
      ...['sonify', '--library', library, '--experiment', experiment, '--class', 'mid', '--seed', '3'],
      ...['--steps', '3', '--guidance', '0', '--out', out, '--json'],
    ]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.json()).toMatchObject({
      sounds: [{ class: 'mid', steps: 3, guidance: 0, seed: 3 }, { class: 'mid' }],
    });
    for (const name of readdirSync(out))
      expect(readWav(readFileSync(join(out, name))).samples).toHaveLength(4000);
    expect(readdirSync(out)).toHaveLength(2);
    const recorded = await runCli([
      ...['sonify', '--library', library, '--experiment', experiment, '--class', 'mid', '--steps', '3'],
      ...['--from', 'recording', '--share', '0.5', '--out', join(testFolder(), 'recorded'), '--json'],
    ]);
    expect(recorded.code, recorded.stderr).toBe(0);
    const from = {
      origin: 'recording',
      share: 0.5,
      recording: { path: expect.stringContaining('mid/') as string },
    };
    expect(recorded.json()).toMatchObject({ sounds: [{ from }, { from }] });
    const shared = [
      'sonify',
      '--library',
      library,
      '--experiment',
      experiment,
      '--share',
      '0.5',
      '--out',
      out,
    ];
    expect((await runCli(shared)).stderr).toContain('--from recording');
    const wrong = await runCli([
      'sonify',
      '--library',
      library,
      '--experiment',
      'latest',
      '--class',
      'x',
      '--out',
      out,
      '--json',
    ]);
    expect(wrong.code).toBe(3);
  });

  it('plays MIDI on a prototype', async () => {
    const folder = testFolder();
    const [midi, out] = [join(folder, 'in.mid'), join(folder, 'out.wav')];
    writeFileSync(
      midi,
      writeMidiFile([{ onsetSeconds: 0, durationSeconds: 0.5, midiPitch: 69, velocity: 90 }], 120),
    );
    const play = (prototype: string, ...more: string[]) =>
      runCli(['melody', prototype, '--library', library, '--midi', midi, '--out', out, '--json', ...more]);
    const run = await play(`${experiment}/2`);
    expect(run.code, run.stderr).toBe(0);
    expect(run.json()).toMatchObject({
      ...{ experimentId: experiment, prototype: 2, notes: 1, file: out },
      classes: { own: { class: 'high' } },
    });
    // Half a second, and the release.
    expect(readWav(readFileSync(out)).samples.length).toBeCloseTo(0.56 * 8000, -2);
    // What is there already stays.
    expect(codeOf(await play(`${experiment}/2`))).toBe('bad-input');
    expect(codeOf(await play('latest'))).toBe('bad-input');
    writeFileSync(midi, 'no MIDI');
    expect(codeOf(await play('latest/0'))).toBe('bad-input');
  });

  it('exports a bundle', async () => {
    const out = join(testFolder(), 'bundle');
    const run = await runCli([
      'export',
      '--library',
      library,
      '--experiment',
      experiment,
      '--out',
      out,
      '--json',
    ]);
    expect(run.code, run.stderr).toBe(0);
    expect(existsSync(join(out, 'manifest.json'))).toBe(true);
    const again = await runCli([
      'export',
      '--library',
      library,
      '--experiment',
      experiment,
      '--out',
      out,
      '--json',
    ]);
    expect(again.code).toBe(2);
  });

  it('reduces a data set', async () => {
    const folder = testFolder();
    const rows = Array.from({ length: 40 }, (_, i) => `${i},${(i * 7) % 11},${i % 2},${i < 20 ? 1 : 0}`);
    const dataset = join(folder, 'data.csv.gz');
    writeFileSync(dataset, gzipSync(`f1,f2,odd,low\n${rows.join('\n')}\n`));
    const out = join(folder, 'out');
    const run = await runCli([
      'reduce',
      dataset,
      '--label-count',
      '2',
      '--method',
      'MChen',
      '--param',
      '25',
      '--out',
      out,
      '--json',
    ]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.json()).toMatchObject({
      reduction: { corpusRows: 28, testRows: 12, prototypeRows: 7, labels: ['odd', 'low'] },
    });
    const missing = await runCli([
      'reduce',
      dataset,
      '--method',
      'MChen',
      '--out',
      join(folder, 'x'),
      '--json',
    ]);
    expect(missing.code).toBe(2);
  });

  it('lists, verifies and scores packs', async () => {
    const list = await runCli(['packs', 'list', '--json']);
    expect(list.json()).toMatchObject({
      packs: expect.arrayContaining([
        expect.objectContaining({ id: 'compact', embeddingDim: 32 }),
      ]) as unknown,
      problems: [],
    });
    const verified = await runCli(['packs', 'verify', 'compact', '--json']);
    expect(verified.code).toBe(0);
    expect(verified.json()).toMatchObject({ ok: true, verifications: [{ packId: 'compact', ok: true }] });
    const score = await runCli(['packs', 'score', '--sounds', '2', '--json'], {
      env: { ARCHETONE_DEMO: music },
    });
    expect(score.code, score.stderr).toBe(0);
    expect(score.json()).toMatchObject({ packId: 'compact', card: { data: {}, cycle: { vectors: 2 } } });
  });

  it('does the whole job on a folder and writes a report that needs no network', async () => {
    const out = join(testFolder(), 'report');
    const demo = writeMusic({ perClass: 6 });
    const running = runCli(['demo', '--out', out, '--steps', '60', '--json'], {
      env: { ARCHETONE_DEMO: demo },
    });
    // The page is there before the sounds are, tells what is missing, and grows.
    const file = join(out, 'index.html');
    const pages = new Set<string>();
    const look = setInterval(() => {
      if (existsSync(file)) pages.add(readFileSync(file, 'utf8'));
    }, 10);
    const run = await running.finally(() => {
      clearInterval(look);
    });
    expect(run.code, run.stderr).toBe(0);
    const page = readFileSync(file, 'utf8');
    const early = [...pages].filter((text) => text !== page);
    expect(early[0]).toContain('How well it classifies');
    expect(early[0]).toContain('still to come');
    expect(early.every((text) => text.endsWith('</html> ') && text.includes('Still to come: '))).toBe(true);
    expect(early.at(-1)).toMatch(/about \d+ s left/);
    // Both bundles sound; the three sounds on the page are made already.
    const told = /export bundles, with (\d+) more sounds/.exec(early.at(-1) ?? '')?.[1];
    const bundled = ['experiment', 'reduction'].flatMap((name) =>
      readdirSync(join(out, 'export', name, 'audio')),
    );
    expect(Number(told)).toBe(bundled.length - 3);
    expect(page).not.toMatch(/to come/);
    expect(page).toMatch(/: LP-kNN \(k = 1\) on \d+ held-out tracks/);
    expect(page).toMatch(/is the smallest\s+that\s+costs\s+little: F1\s+over samples \d+\.\d %/);
    expect(page.match(/<th class="n">Macro F1<\/th>/g)).toHaveLength(1);
    expect(page).not.toMatch(/https?:\/\//);
    expect(page).not.toContain('<script');
    const sources = [...page.matchAll(/<audio[^>]* src="([^"]+)"/g)].map((match) =>
      decodeURIComponent(match[1] ?? ''),
    );
    expect(sources).toHaveLength(6);
    for (const source of sources) {
      const { samples } = readWav(readFileSync(join(out, source)));
      expect(samples.some((sample) => Math.abs(sample) > 1e-3)).toBe(true);
    }
    expect(readdirSync(join(out, 'export'))).toEqual(['experiment', 'reduction']);
    const again = await runCli(['demo', '--out', out, '--json'], { env: { ARCHETONE_DEMO: demo } });
    expect(again.code).toBe(2);
  });

  it('checks the machine', async () => {
    const run = await runCli(['doctor', '--json']);
    expect(run.code, run.stdout).toBe(0);
    expect(run.json()).toMatchObject({ ok: true });
    const without = await runCli(['doctor', '--json'], { env: { ARCHETONE_PACKS: testFolder() } });
    expect(without.code).toBe(4);
    expect(without.json()).toMatchObject({ ok: false });
    expect(without.stdout).toContain('pack compact');
  });

  it('tells of models that cannot be run beside everything else', async () => {
    const broken = join(testFolder(), 'embedder.js');
    writeFileSync(broken, 'process.exit(3);');
    const run = await runCli(['doctor', '--json'], { env: { ARCHETONE_EMBEDDER: broken } });
    expect(run.code).not.toBe(0);
    const { ok, checks } = z
      .object({ ok: z.boolean(), checks: z.array(z.object({ name: z.string(), ok: z.boolean() })) })
      .parse(run.json());
    expect(ok).toBe(false);
    expect(checks.find(({ name }) => name === 'decode worker')?.ok).toBe(true);
  });
});
