import { expect, it } from 'vitest';
import { startTestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';

it('keeps searches by name in the library, renames and removes them', async () => {
  const test = await startTestEngine();
  const { id: libraryId } = await test.client.call('libraries.open', { folder: testFolder() });
  const save = async (name: string, search: string) =>
    test.client.call('searches.save', { libraryId, name, search });
  const soft = await save('  soft ', 'p<0.5 -loop');
  expect(soft).toMatchObject({ name: 'soft', search: 'p<0.5 -loop' });
  const drums = await save('Drums', 'label:bd,sd');
  await expect(save('soft', 'kick')).rejects.toMatchObject({ code: 'bad-input' });
  await expect(save('broken', 'lable:bd')).rejects.toMatchObject({
    detail: { of: 'search', start: 0, end: 5 },
  });
  await expect(save(' ', 'kick')).rejects.toMatchObject({ code: 'bad-input' });

  // They are the library's own: there after a restart, and in no other library.
  const { client } = await test.restart();
  expect(await client.call('searches.list', { libraryId })).toEqual([drums, soft]);
  const other = await client.call('libraries.open', { folder: testFolder() });
  expect(await client.call('searches.list', { libraryId: other.id })).toEqual([]);

  const rename = async (searchId: string, name: string) =>
    client.call('searches.rename', { libraryId, searchId, name });
  expect(await rename(soft.id, 'soft')).toEqual(soft);
  expect(await rename(soft.id, 'Ambience')).toEqual({ ...soft, name: 'Ambience' });
  await expect(rename(soft.id, 'Drums')).rejects.toMatchObject({ code: 'bad-input' });
  await expect(rename('nobody', 'x')).rejects.toMatchObject({ code: 'not-found' });
  await client.call('searches.remove', { libraryId, searchId: drums.id });
  expect((await client.call('searches.list', { libraryId })).map(({ name }) => name)).toEqual(['Ambience']);
  await expect(client.call('searches.remove', { libraryId, searchId: drums.id })).rejects.toMatchObject({
    code: 'not-found',
  });
});
