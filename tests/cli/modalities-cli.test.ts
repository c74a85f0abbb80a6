import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { writeAlbums } from '../support/albums.ts';
import { writeImageNetwork } from '../support/image-network.ts';
import { runCli } from '../support/cli.ts';
import { testFolder } from '../support/music.ts';
import { TINY } from '../support/tiny-pack.ts';

it(
  'learns a space of sound, covers and words, and finds recordings by them',
  { timeout: 300_000 },
  async () => {
    const [music, data] = [testFolder(), join(testFolder(), 'data')];
    writeAlbums(music, { artists: 21, seconds: 0.5, sampleRate: TINY.sampleRate });
    const env = { ARCHETONE_USER_PACKS: testFolder() };
    const run = async (...args: string[]) => {
      const ran = await runCli(args, { env });
      expect([ran.code, ran.stderr]).toEqual([0, expect.anything()]);
      return ran;
    };
    await run('import', music, '--library', data);
    const early = await runCli(['modalities', 'find', data, '--words', 'ice'], { env });
    expect([early.code, early.stderr]).toEqual([
      3,
      expect.stringContaining('No space of covers and words was learned yet'),
    ]);
    const unknown = await runCli(['modalities', 'learn', data, '--classes', 'Moods'], { env });
    expect(unknown.stderr).toContain('no taxonomy “Moods”');
    const learned = await run('modalities', 'learn', data, '--dim', '8', '--steps', '100');
    expect(learned.stdout).toMatch(/84 tracks of 21 artists, in 21 groups/);
    expect(learned.stdout).toMatch(/Sound – cover +0\.\d{3} \(0\.\d{3}–0\.\d{3}\) +0\.\d{3}/);
    const network = join(testFolder(), 'pictures.onnx');
    const lacking = await runCli(['modalities', 'learn', data, '--image-network', network], { env });
    expect([lacking.code, lacking.stderr]).toEqual([4, expect.stringContaining('pictures.json')]);
    writeImageNetwork(network);
    const looked = await run('modalities', 'learn', data, '--dim', '8', '--image-network', network);
    expect(looked.stdout).toMatch(/covers looked at by +Random pixels/);
    // Chosen where nobody says how many.
    expect(looked.stdout).toMatch(/steps +[1-9]\d*0\n/);
    const cover = join(testFolder(), 'sleeve.png');
    copyFileSync(join(music, 'Artist 00', 'Album 1', 'cover.png'), cover);
    const found = await run('modalities', 'find', data, '--cover', cover, '-k', '5');
    expect(found.stdout).toMatch(/Artist 0\d .*\n/);
    const both = await runCli(['modalities', 'find', data, '--cover', cover, '--words', 'x'], { env });
    expect(both.stderr).toContain('Give --cover or --words');
    expect((await run('modalities', 'covers', data, '-k', '3')).stdout.trim().split('\n')).toHaveLength(4);
    expect((await run('modalities', 'classes', data)).stdout).toContain('Artist 20');
    const [space, other] = z
      .array(z.looseObject({ id: z.string() }))
      .parse((await run('modalities', 'list', data, '--json')).json());
    await run('modalities', 'remove', data, space?.id ?? '');
    await run('modalities', 'remove', data, other?.id ?? '');
    expect((await run('modalities', 'list', data)).stdout).toContain('There is none yet');
  },
);
