import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importFolder, startTestEngine, writeMusic } from '../../support/engine.ts';

describe('caches', () => {
  it('are measured by what lies in their places, and emptied one kind at a time', async () => {
    const engine = await startTestEngine();
    const { client } = engine;
    const { library } = await importFolder(client, writeMusic({ perClass: 2, classes: ['a', 'b'] }));
    const folder = library.dataFolder;
    for (const [name, size] of [
      ['transcodes', 1000],
      ['sonifications', 200],
      ['covers', 30],
    ] as const) {
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, name, 'x.wav'), new Uint8Array(size));
    }
    writeFileSync(join(folder, 'transcodes', 'y.wav.part'), new Uint8Array(5));
    const before = (await client.call('caches.list', {}))[0];
    expect(before).toMatchObject({ libraryId: library.id, name: library.name, folder });
    expect(before?.bytes).toMatchObject({ copies: 1005, sounds: 200, covers: 30 });
    expect(before?.bytes.embeddings).toBeGreaterThan(10_000);

    const copies = await client.call('caches.empty', { libraryId: library.id, kind: 'copies' });
    // What is being written stays.
    expect(copies.bytes).toEqual({ ...before?.bytes, copies: 5 });
    expect(readdirSync(join(folder, 'transcodes'))).toEqual(['y.wav.part']);
    const empty = await client.call('caches.empty', { libraryId: library.id, kind: 'embeddings' });
    expect(empty.bytes.embeddings).toBeLessThan(before?.bytes.embeddings ?? 0);
    const now = await client.call('libraries.get', { libraryId: library.id });
    expect(now.tracks).toMatchObject({ total: 4, ready: 0 });
    // What cannot be made again is there, and the next import makes the rest.
    expect(existsSync(join(folder, 'library.db'))).toBe(true);
    const { library: again } = await importFolder(client, library.folders[0] ?? '');
    expect(again.tracks).toMatchObject({ total: 4, ready: 4 });
    expect(dirname(folder)).toBe(join(engine.dataFolder, 'libraries'));
  });

  it('are not emptied under a job', async () => {
    const { client } = await startTestEngine();
    const library = await client.call('libraries.open', { folder: writeMusic({ perClass: 3 }) });
    const { jobId } = await client.call('import.start', { libraryId: library.id });
    await expect(
      client.call('caches.empty', { libraryId: library.id, kind: 'embeddings' }),
    ).rejects.toMatchObject({
      code: 'library-busy',
    });
    await client.call('jobs.cancel', { jobId });
  });
});
