import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineClient } from '../../../engine/api/contract.ts';
import { readPlaylistFiles } from '../../../engine/playlists/read.ts';
import type { AskThread } from '../../../engine/threads/ask.ts';
import { ThreadFailure } from '../../../engine/threads/call-thread.ts';
import { PlaylistMatcher } from '../../../engine/library/playlist-matcher.ts';
import { importFolder, startTestEngine } from '../../support/engine.ts';
import { testFolder, writeMusic } from '../../support/music.ts';

describe('entries are matched', () => {
  const tracks = [
    { path: 'A/one.mp3', artist: 'Ann', title: 'One' },
    { path: 'A/two.mp3', artist: 'Ann', title: 'Two' },
    { path: 'B/one.mp3', artist: 'Bob', title: 'One' },
    { path: 'B/Größe.flac', artist: 'Bob', title: 'Größe' },
    { path: 'C/x.mp3', artist: 'Twin', title: 'Same' },
    { path: 'C/y.mp3', artist: 'twin', title: 'same' },
    { path: 'C/Re: Stacks.mp3', artist: null, title: 'Stacks' },
  ];
  const matcher = new PlaylistMatcher(tracks, '/music');
  const of = (
    location: string,
    playlist: string | null = '/lists/p.m3u',
    artist = '',
    title = '',
  ): unknown => {
    const found = matcher.match({ location, artist: artist || null, title: title || null }, playlist);
    return typeof found === 'number' ? tracks[found]?.path : found.reason;
  };

  it.each([
    ['/music/A/one.mp3', 'A/one.mp3'],
    ['../music/A/one.mp3', 'A/one.mp3'],
    ['..\\music\\B\\one.mp3', 'B/one.mp3'],
    ['D:\\Other Root\\b\\ONE.MP3', 'B/one.mp3'],
    ['file:///music/B/Gr%C3%B6%C3%9Fe.flac', 'B/Größe.flac'],
    ['file://localhost/Users/x/B/Gro%CC%88%C3%9Fe.flac', 'B/Größe.flac'],
    ['two.mp3', 'A/two.mp3'],
    ['http://radio.example/A/one.mp3', 'stream'],
    ['spotify:track:0123', 'stream'],
    ['Re: Stacks.mp3', 'C/Re: Stacks.mp3'],
    ['nothing.mp3', 'absent'],
    ['one.mp3', 'ambiguous'],
    ['A/one.ogg', 'ending'],
    ['Z/Größe.flac', 'elsewhere'],
    ['', 'unnamed'],
  ])('%s → %s', (location, expected) => expect(of(location)).toBe(expected));

  it('beside the playlist first, and by artist and title where the path leads nowhere', () => {
    expect(of('one.mp3', '/music/B/p.m3u')).toBe('B/one.mp3');
    expect(of('gone/elsewhere.mp3', '/lists/p.m3u', ' ann ', 'TWO')).toBe('A/two.mp3');
    expect(of('', null, 'Twin', 'Same')).toBe('unnamed');
  });
});

describe('playlists of a library', () => {
  let client: EngineClient;
  let libraryId: string;
  let music: string;
  const lists = testFolder();

  beforeAll(async () => {
    ({ client } = await startTestEngine());
    music = writeMusic({ perClass: 4, seconds: 0.5 });
    libraryId = (await importFolder(client, music)).library.id;
  });

  it('are read from files and folders, once each, with what is no track listed', async () => {
    const marked = Buffer.concat([
      Buffer.from([0xef, 0xbb, 0xbf]),
      Buffer.from(
        '#EXTM3U\r\n#EXTINF:1,Caf\xe9\r\nbass/bass_hit_0.wav\r\nElsewhere/caf\xe9.mp3\r\n',
        'latin1',
      ),
    ]);
    writeFileSync(join(lists, 'a.m3u'), marked);
    mkdirSync(join(lists, 'deep'));
    const url = pathToFileURL(join(music, 'high', 'high_long_1.wav')).href;
    writeFileSync(
      join(lists, 'deep', 'b.xspf'),
      `<playlist><title>B</title><trackList><track><location>${url}</location></track></trackList></playlist>`,
    );
    writeFileSync(join(lists, 'deep', 'notes.xml'), '<notes/>');
    writeFileSync(join(lists, 'deep', 'bomb.xspf'), '<!DOCTYPE a [<!ENTITY b "c">]><playlist>&b;</playlist>');
    const first = await client.call('playlists.add', { libraryId, paths: [lists] });
    expect(
      first.added.map(({ name, entries, tracks, unmatched }) => [name, entries, tracks, unmatched]),
    ).toEqual([
      ['a', 2, 1, 1],
      ['B', 1, 1, 0],
    ]);
    expect(first.problems).toMatchObject([
      { path: join(lists, 'deep', 'bomb.xspf'), problem: { code: 'bad-input' } },
    ]);
    const again = await client.call('playlists.add', { libraryId, paths: [lists] });
    expect(again).toMatchObject({ added: [], known: ['a', 'B'] });
    const [a] = first.added;
    const unmatched = await client.call('playlists.unmatched', { libraryId, playlistId: a?.id ?? '' });
    expect(unmatched).toMatchObject([{ position: 2, entry: 'Elsewhere/café.mp3', reason: 'absent' }]);

    // The file says something else now: one playlist, not two.
    writeFileSync(join(lists, 'a.m3u'), 'bass/bass_hit_0.wav\nbass/bass_hit_2.wav\nbass/bass_hit_2.wav\n');
    await client.call('playlists.add', { libraryId, paths: [join(lists, 'a.m3u')] });
    const all = await client.call('playlists.list', { libraryId });
    expect(all.map(({ name, tracks }) => [name, tracks])).toEqual([
      ['a', 2],
      ['B', 1],
    ]);
  });

  it('are made of the folders of the library', async () => {
    const { added } = await client.call('playlists.addFolders', { libraryId });
    expect(added.map(({ name, format, tracks }) => [name, format, tracks])).toEqual([
      ['bass', 'folder', 4],
      ['high', 'folder', 4],
      ['mid', 'folder', 4],
    ]);
    await client.call('playlists.remove', { libraryId, playlistIds: added.map(({ id }) => id) });
    expect(await client.call('playlists.list', { libraryId })).toHaveLength(2);
  });

  it('match music that is imported later', async () => {
    const path = join(lists, 'later.m3u8');
    writeFileSync(path, 'new/bass_hit_0.wav\n');
    const { added } = await client.call('playlists.add', { libraryId, paths: [path] });
    expect(added).toMatchObject([{ tracks: 0, unmatched: 1 }]);
    const more = writeMusic({ perClass: 1, seconds: 0.5, classes: ['bass'] });
    mkdirSync(join(music, 'new'));
    copyFileSync(join(more, 'bass', 'bass_hit_0.wav'), join(music, 'new', 'bass_hit_0.wav'));
    await importFolder(client, music);
    const all = await client.call('playlists.list', { libraryId });
    expect(all.find(({ name }) => name === 'later')).toMatchObject({ tracks: 1, unmatched: 0 });
  });

  it('says what is wrong with a file, and where there is none', async () => {
    const path = join(lists, 'diary.txt');
    writeFileSync(path, 'dear diary');
    await expect(client.call('playlists.add', { libraryId, paths: [path] })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('is no playlist') as string,
    });
    await expect(client.call('playlists.add', { libraryId, paths: [testFolder()] })).rejects.toThrow(
      /no playlists/,
    );
    await expect(
      client.call('playlists.add', { libraryId, paths: [join(lists, 'gone.m3u')] }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });

  it('keeps several of one name in one file, and replaces the one that says something else now', async () => {
    const path = join(lists, 'dj.xml');
    const add = async (...locations: string[]): Promise<unknown[]> => {
      const nodes = locations.map(
        (key) => `<NODE Type="1" Name="Mix" KeyType="1"><TRACK Key="${key}"/></NODE>`,
      );
      writeFileSync(
        path,
        `<DJ_PLAYLISTS><COLLECTION/><PLAYLISTS>${nodes.join('')}</PLAYLISTS></DJ_PLAYLISTS>`,
      );
      await client.call('playlists.add', { libraryId, paths: [path] });
      const all = await client.call('playlists.list', { libraryId });
      return all.filter(({ name }) => name === 'Mix').map(({ tracks }) => tracks);
    };
    expect(await add('bass/bass_hit_0.wav', 'bass/bass_hit_2.wav')).toEqual([1, 1]);
    expect((await add('bass/bass_hit_0.wav', 'gone.wav')).sort()).toEqual([0, 1]);
    expect((await add('other.wav', 'gone.wav')).sort()).toEqual([0, 0]);
  });

  it('adds none of those that would be more than a library keeps', async () => {
    const before = await client.call('playlists.list', { libraryId });
    for (const name of ['x', 'y']) writeFileSync(join(lists, `${name}.m3u`), `${name}.mp3\n`.repeat(251_000));
    const paths = ['x', 'y'].map((name) => join(lists, `${name}.m3u`));
    await expect(client.call('playlists.add', { libraryId, paths })).rejects.toThrow(/it keeps 500000/);
    expect(await client.call('playlists.list', { libraryId })).toEqual(before);
  });
});

it('gives up only the file that a thread could not read, and reads those beside it', async () => {
  const asked: string[][] = [];
  const ask = ((_kind: unknown, _contract: unknown, _method: unknown, { paths }: { paths: string[] }) => {
    asked.push(paths);
    if (paths.includes('bad.m3u')) return Promise.reject(new ThreadFailure('it took too long'));
    return Promise.resolve(paths.map(() => ({ lists: [] })));
  }) as unknown as AskThread;
  const found = await readPlaylistFiles(ask, ['a.m3u', 'bad.m3u', 'b.m3u'], new AbortController().signal);
  expect(found).toMatchObject([{ lists: [] }, { problem: { code: 'unreadable' } }, { lists: [] }]);
  expect(asked).toEqual([['a.m3u', 'bad.m3u', 'b.m3u'], ['a.m3u'], ['bad.m3u'], ['b.m3u']]);
});
