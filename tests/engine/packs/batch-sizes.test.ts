import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BatchMemory } from '../../../engine/packs/batch-sizes.ts';
import { BATCH_SIZES } from '../../../models/packs/index.ts';
import { importFolder, startTestEngine } from '../../support/engine.ts';
import { classSound, testFolder, writeMusic, writeSound } from '../../support/music.ts';
import { TINY } from '../../support/tiny-pack.ts';

const key = { packSha256: 'a', provider: 'cpu', threads: 1, processor: 'P' };

/** A thousand windows of the tiny pack in one file. */
function longMusic(): string {
  const folder = testFolder();
  writeSound(join(folder, 'class', 'long.wav'), classSound('bass', 1001 * (TINY.S / TINY.sampleRate), 1));
  return folder;
}

describe('the batch size of an import', () => {
  it('is measured before the first long import, shown with the provider in use, and remembered', async () => {
    const test = await startTestEngine();
    expect((await test.client.call('providers.list', {})).map(({ batch }) => batch)).not.toContain(undefined);
    expect((await test.client.call('providers.list', {})).every(({ batch }) => batch === null)).toBe(true);
    // For a handful of sounds it would not pay.
    await importFolder(test.client, writeMusic({ perClass: 1 }));
    expect(existsSync(join(test.dataFolder, 'batch-sizes.json'))).toBe(false);
    await importFolder(test.client, longMusic());
    const chosen = (await test.client.call('providers.list', {})).find((provider) => provider.chosen);
    expect(BATCH_SIZES).toContain(chosen?.batch?.size);
    expect(Object.values(chosen?.batch?.windowsPerSecond ?? {}).every((speed) => speed > 0)).toBe(true);

    // Known: nothing is measured, whatever it was.
    const file = join(test.dataFolder, 'batch-sizes.json');
    const text = readFileSync(file, 'utf8');
    const kept = text.replace(/"size": \d+/, '"size": 3');
    writeFileSync(file, kept);
    const again = await test.restart();
    await importFolder(again.client, longMusic());
    expect(readFileSync(file, 'utf8')).toBe(kept);
  });

  it('is another matter for another pack, provider, processor or number of threads', async () => {
    const folder = testFolder();
    const choice = { size: 4, windowsPerSecond: { 2: 10, 4: 20 } };
    await (await BatchMemory.open(folder)).remember(key, choice);
    const memory = await BatchMemory.open(folder);
    expect(memory.get(key)).toEqual(choice);
    const others = [{ packSha256: 'b' }, { provider: 'cuda' }, { threads: null }, { processor: 'Q' }];
    for (const other of others) expect(memory.get({ ...key, ...other })).toBeNull();
    writeFileSync(join(folder, 'batch-sizes.json'), '{"a cpu 1 P": {"size": 0}}');
    expect((await BatchMemory.open(folder)).get(key)).toBeNull();
  });
});
