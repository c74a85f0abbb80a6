import { expect, it } from 'vitest';
import { importFolder, listen, startTestEngine, tracksByPath } from '../../support/engine.ts';
import { testFolder, writeMusic } from '../../support/music.ts';

it('keeps sets of tracks, which searches know, and gives back what undo needs', async () => {
  const test = await startTestEngine();
  const { client } = test;
  const { library } = await importFolder(client, writeMusic({ perClass: 2 }));
  const libraryId = library.id;
  const ids = new Map([...(await tracksByPath(client, libraryId))].map(([path, { id }]) => [path, id]));
  const id = (path: string): string => ids.get(path) ?? '';
  const [bass, high, mid] = [id('bass/bass_hit_0.wav'), id('high/high_hit_0.wav'), id('mid/mid_hit_0.wav')];
  const events = listen(client);
  const set = await client.call('sets.save', { libraryId, name: ' To keep ', trackIds: [mid, bass, bass] });
  expect(set).toMatchObject({ name: 'To keep', tracks: 2 });
  expect((await events()).some((event) => event.type === 'library-changed' && event.what === 'sets')).toBe(
    true,
  );
  const save = async (name: string, trackIds: string[]) =>
    client.call('sets.save', { libraryId, name, trackIds });
  await expect(save('To keep', [])).rejects.toMatchObject({ code: 'bad-input' });
  await expect(save('Other', [bass, 'nobody'])).rejects.toMatchObject({ code: 'not-found' });
  // Nothing of what was refused is left behind.
  expect((await client.call('sets.list', { libraryId })).map(({ name }) => name)).toEqual(['To keep']);

  const found = async (search: string): Promise<string[]> =>
    (await client.call('tracks.list', { libraryId, search })).tracks.map((track) => track.id);
  expect(await found('set:"to keep"')).toEqual([bass, mid]);
  expect(await found('set:*keep -bass')).toEqual([mid]);
  await expect(found('set:nothing')).rejects.toMatchObject({
    message: expect.stringContaining('No set is called “nothing”') as string,
  });
  expect(await client.call('tracks.values', { libraryId, field: 'set', partial: 'ke' })).toEqual([
    { value: 'To keep', tracks: 2 },
  ]);

  const change = async (trackIds: string[], include: boolean): Promise<string[]> =>
    (await client.call('sets.change', { libraryId, setId: set.id, trackIds, include })).changed;
  expect(await change([bass, high], true)).toEqual([high]);
  expect(await found('set:"To keep"')).toEqual([bass, high, mid]);
  expect(await change([high, mid, high], false)).toEqual([high, mid]);
  expect(await change([high], false)).toEqual([]);
  await expect(change(['nobody'], true)).rejects.toMatchObject({ code: 'not-found' });

  // They are the library's own: there after a restart, and in no other library.
  const { client: again } = await test.restart();
  expect(await again.call('sets.tracks', { libraryId, setId: set.id })).toEqual([bass]);
  const other = await again.call('libraries.open', { folder: testFolder() });
  expect(await again.call('sets.list', { libraryId: other.id })).toEqual([]);
  const renamed = await again.call('sets.rename', { libraryId, setId: set.id, name: 'Kept' });
  expect(renamed).toEqual({ ...set, name: 'Kept', tracks: 1 });
  expect(await again.call('sets.remove', { libraryId, setId: set.id })).toEqual({ trackIds: [bass] });
  await expect(again.call('sets.tracks', { libraryId, setId: set.id })).rejects.toMatchObject({
    code: 'not-found',
  });
});
