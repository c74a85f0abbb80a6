import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { classSound, testFolder, writeMusic, writeSound } from '../support/music.ts';

const verbs = [
  ...['import', 'train', 'classify', 'neighbours', 'embed', 'sonify', 'reduce', 'export', 'packs', 'open'],
  ...['doctor', 'demo'],
];

describe('help and usage', { timeout: 120_000 }, () => {
  it.each(verbs)('%s has help with an example, on standard output', async (verb) => {
    const run = await runCli([verb, '--help']);
    expect(run.code).toBe(0);
    expect(run.stderr).toBe('');
    if (verb !== 'packs') expect(run.stdout).toMatch(/Examples?:\n {2}archetone /);
    expect(run.stdout).toContain('--json');
    expect(run.stdout).toContain('Exit codes');
  });

  it('takes it quietly that nobody reads the output', async () => {
    const run = await runCli(['train', '--help'], { closedStdout: true });
    expect([run.code, run.stderr]).toEqual([0, '']);
  });

  it.each([
    [['nonsense']],
    [['import']],
    [['import', 'x']],
    [['train', '--library', 'x', '--taxonomy', 'folders', '--prototypes', '0']],
    [['train', '--library', 'x', '--taxonomy', 'astrology']],
    [['reduce', '.', '--method', 'MChen', '--param', '101', '--out', 'x']],
    [['export', '--library', 'x', '--out', 'y', '--formats', 'docx', '--experiment', 'latest']],
    [['export', '--library', 'x', '--out', 'y']],
    [[]],
  ])('wrong usage %j exits with 2, as one JSON document', async (args) => {
    const json = await runCli([...args, '--json']);
    expect(json.code).toBe(2);
    expect(json.json()).toMatchObject({
      error: { code: 'bad-input', message: expect.any(String) as string },
    });
    const text = await runCli(args);
    expect(text.code).toBe(2);
    expect(text.stdout).toBe('');
    expect(text.stderr).not.toBe('');
  });
});

describe('a report', { timeout: 120_000 }, () => {
  it('that has no place to be written to is wrong usage', async () => {
    const file = join(testFolder(), 'file');
    writeFileSync(file, '');
    const run = await runCli(['demo', '--out', join(file, 'report'), '--json'], {
      env: { ARCHETONE_DEMO: testFolder() },
    });
    expect(run.code).toBe(2);
    expect(run.json()).toMatchObject({
      error: { code: 'bad-input', hint: expect.stringContaining('--out') as string },
    });
  });

  it('that failed before there was anything to tell is made in the same place the next time', async () => {
    const args = ['demo', '--out', join(testFolder(), 'report'), '--json'];
    const env = { ARCHETONE_DEMO: testFolder() };
    for (let i = 0; i < 2; i++)
      expect((await runCli(args, { env })).json()).toMatchObject({ error: { code: 'empty-folder' } });
  });
});

describe('what is not there', { timeout: 120_000 }, () => {
  it('is said with exit code 3, and nothing is created', async () => {
    const parent = testFolder();
    const library = join(parent, 'library');
    const audio = join(parent, 'a.wav');
    writeSound(audio, classSound('mid', 1, 1));
    for (const args of [
      ['train', '--library', library, '--taxonomy', 'folders'],
      ['classify', audio, '--library', library, '--experiment', 'latest'],
      ['classify', join(parent, 'none.wav'), '--library', library, '--experiment', 'latest'],
      ['neighbours', audio, '--library', library],
      ['export', '--library', library, '--experiment', 'latest', '--out', join(parent, 'out')],
    ]) {
      const run = await runCli([...args, '--json']);
      expect(run.code, args.join(' ')).toBe(3);
      expect(run.json()).toMatchObject({ error: { code: 'not-found' } });
    }
    expect(existsSync(library)).toBe(false);
    const missing = await runCli(['import', join(parent, 'nowhere'), '--library', library, '--json']);
    expect(missing.code).toBe(3);
    expect(missing.json()).toMatchObject({ error: { code: 'missing-folder' } });
  });

  it('a pack: exit code 4', async () => {
    const run = await runCli(
      ['import', writeMusic({ perClass: 1 }), '--library', join(testFolder(), 'l'), '--json'],
      {
        env: { ARCHETONE_PACKS: testFolder() },
      },
    );
    expect(run.code).toBe(4);
    expect(run.json()).toMatchObject({ error: { code: 'pack' } });
  });
});

describe('audio and labels that are no use', { timeout: 120_000 }, () => {
  it('exits with 5 when no file can be used', async () => {
    const folder = testFolder();
    writeFileSync(join(folder, 'text.mp3'), 'no music');
    const run = await runCli(['import', folder, '--library', join(testFolder(), 'l'), '--json']);
    expect(run.code).toBe(5);
    const embed = await runCli(['embed', join(folder, 'text.mp3'), '--out', join(folder, 'z.npz'), '--json']);
    expect(embed.code).toBe(5);
    expect(existsSync(join(folder, 'z.npz'))).toBe(false);
  });

  it('exits with 3 for an empty folder', async () => {
    const run = await runCli(['import', testFolder(), '--library', join(testFolder(), 'l'), '--json']);
    expect(run.code).toBe(3);
    expect(run.json()).toMatchObject({ error: { code: 'empty-folder' } });
  });

  it('exits with 7 for too few labels', async () => {
    const library = join(testFolder(), 'l');
    await runCli(['import', writeMusic({ perClass: 2 }), '--library', library]);
    const run = await runCli(['train', '--library', library, '--taxonomy', 'folders', '--json']);
    expect(run.code).toBe(7);
    expect(run.json()).toMatchObject({
      error: { code: 'too-few-labels', hint: expect.stringContaining('minimum') as string },
    });
  });
});

describe('Ctrl-C', { timeout: 180_000 }, () => {
  let library: string;

  beforeAll(async () => {
    library = join(testFolder(), 'l');
    const imported = await runCli(['import', writeMusic({ perClass: 6 }), '--library', library]);
    expect(imported.code).toBe(0);
  }, 120_000);

  it('cancels training cleanly with 130; the library stays usable', async () => {
    let sent = false;
    const args = ['train', '--library', library, '--taxonomy', 'folders', '--steps', '200000', '--json'];
    const run = await runCli(args, {
      onStderr: (text, kill) => {
        if (sent || !/Train/.test(text)) return;
        sent = true;
        kill('SIGINT');
      },
    });
    expect(run.code).toBe(130);
    expect(run.json()).toMatchObject({ error: { code: 'cancelled' } });
    const list = await runCli([
      'export',
      '--library',
      library,
      '--experiment',
      'latest',
      '--out',
      join(testFolder(), 'x'),
      '--json',
    ]);
    expect(list.json()).toMatchObject({ error: { code: 'not-found' } });
  });

  it('cancels an import, which goes on where it was the next time', async () => {
    const music = writeMusic({ perClass: 40, seconds: 4 });
    const other = join(testFolder(), 'l');
    mkdirSync(other);
    let sent = false;
    const run = await runCli(['import', music, '--library', other, '--json'], {
      onStderr: (text, kill) => {
        if (sent || !/files/.test(text)) return;
        sent = true;
        kill('SIGINT');
      },
    });
    expect([0, 130]).toContain(run.code);
    const again = await runCli(['import', music, '--library', other, '--json']);
    expect(again.code).toBe(0);
    expect(again.json()).toMatchObject({ library: { tracks: { ready: 120 } } });
  });
});
