import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { runCli } from '../support/cli.ts';
import { testFolder, writeMusic } from '../support/music.ts';

const listSchema = z.object({
  playlists: z.array(
    z.looseObject({
      name: z.string(),
      tracks: z.number(),
      unmatchedEntries: z.array(z.looseObject({ entry: z.string(), reason: z.string() })),
    }),
  ),
});

it(
  'adds, lists and removes playlists, and learns a similarity once there are enough',
  { timeout: 300_000 },
  async () => {
    const music = writeMusic({ perClass: 52, seconds: 0.5 });
    const [data, lists] = [join(testFolder(), 'data'), testFolder()];
    const env = { ARCHETONE_USER_PACKS: testFolder() };
    const run = async (...args: string[]) => {
      const ran = await runCli([...args, '--json'], { env });
      expect([ran.code, ran.stderr]).toEqual([0, expect.anything()]);
      return ran.json();
    };
    await run('import', music, '--library', data);
    writeFileSync(join(lists, 'few.m3u'), 'bass/bass_hit_0.wav\nhttp://radio.example/live\nnone.mp3\n');
    await run('playlists', 'add', data, lists);
    const { playlists } = listSchema.parse(await run('playlists', 'list', data, '--unmatched'));
    expect(playlists).toMatchObject([
      { name: 'few', tracks: 1, unmatchedEntries: [{ reason: 'stream' }, { reason: 'absent' }] },
    ]);
    const few = await runCli(['similarity', 'learn', data, '--json'], { env });
    expect(few.code).not.toBe(0);
    expect(few.stdout).toContain('There are no playlists');
    // A name that is wrong: nothing is forgotten.
    const wrong = await runCli(['playlists', 'remove', data, 'few', 'many', '--json'], { env });
    expect([wrong.code, wrong.stdout]).toEqual([3, expect.stringContaining('called “many”')]);
    await run('playlists', 'remove', data, 'few');

    for (let i = 0; i < 12; i++) {
      const name = ['bass', 'mid', 'high'][i % 3] ?? '';
      const files = Array.from({ length: 52 }, (_, n) => n)
        .filter((n) => (n * 7 + i) % 4 !== 0)
        .map((n) => join(music, name, `${name}_${n % 2 === 0 ? 'hit' : 'long'}_${n}.wav`));
      writeFileSync(join(lists, `${i}.m3u8`), files.join('\r\n'));
    }
    await run('playlists', 'add', data, lists);
    const learned = await run('similarity', 'learn', data, '--dim', '8', '--epochs', '1', '--steps', '30');
    const { packId } = z.looseObject({ packId: z.string(), used: z.literal(true) }).parse(learned);
    const near = await run('neighbours', join(music, 'bass', 'bass_hit_0.wav'), '--library', data, '-k', '3');
    expect(JSON.stringify(near)).toContain('bass/');
    expect(await run('similarity', 'use', data)).toEqual({ packId: 'compact', tracks: 156 });
    const text = await runCli(['similarity', 'list', data], { env });
    expect(text.stdout).toMatch(/Learned from shuffled playlists/);
    expect(text.stdout).toMatch(/It finds your playlists|Cannot tell whether/);
    await run('similarity', 'remove', data, packId);
    const none = await runCli(['similarity', 'use', data, packId, '--json'], { env });
    expect(none.stdout).toContain('has no learned space');
  },
);
