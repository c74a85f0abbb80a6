import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PlaylistError } from '../../../models/playlists/playlist.ts';
import { parsePlaylists, readPlaylists } from '../../../models/playlists/read.ts';

const bytes = (text: string, encoding: BufferEncoding = 'utf8'): Uint8Array => Buffer.from(text, encoding);
const entriesOf = (text: string, path = 'a.m3u'): unknown[] =>
  parsePlaylists(bytes(text), path)[0]?.entries ?? [];
const refusal = (content: Uint8Array, path: string): PlaylistError => {
  try {
    parsePlaylists(content, path);
  } catch (thrown) {
    if (thrown instanceof PlaylistError) return thrown;
    throw thrown;
  }
  throw new Error(`${path} was read`);
};

describe('M3U', () => {
  it('takes paths and URLs, with artist and title from the line before', () => {
    const [list] = parsePlaylists(
      bytes(
        '#EXTM3U\n#PLAYLIST:Night\n#EXTINF:12,Ann - A - B\na/b.mp3\n\n#EXTINF:-1\n  C:\\x y.flac  \n# note\nhttp://h/s\n',
      ),
      'x',
    );
    expect(list).toEqual({
      name: 'Night',
      format: 'm3u',
      entries: [
        { location: 'a/b.mp3', artist: 'Ann', title: 'A - B' },
        { location: 'C:\\x y.flac', artist: null, title: null },
        { location: 'http://h/s', artist: null, title: null },
      ],
    });
  });

  it('reads Latin-1 with CRLF, also after the mark of UTF-8, UTF-16 and old Mac line ends', () => {
    const latin = bytes('#EXTM3U\r\n#EXTINF:1,Björk - Jóga\r\nMúsica/Jóga.mp3\r\n', 'latin1');
    const expected = [{ location: 'Música/Jóga.mp3', artist: 'Björk', title: 'Jóga' }];
    expect(parsePlaylists(latin, 'a.m3u')[0]?.entries).toEqual(expected);
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), latin]);
    expect(parsePlaylists(marked, 'a.m3u')[0]?.entries).toEqual(expected);
    const wide = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('é.mp3\rb.mp3', 'utf16le')]);
    expect(parsePlaylists(wide, 'a.M3U')[0]?.entries).toHaveLength(2);
  });
});

describe('PLS', () => {
  it('joins files and titles by number, whatever their order', () => {
    const text =
      '[Playlist]\r\nTitle2=B\r\nFile10=c.mp3\r\nfile2=b.mp3\r\nFile1=a.mp3\r\nTitle1=X - Y\r\nLength1=-1\r\nTitle9=nothing\r\n';
    expect(entriesOf(text, 'a.pls')).toEqual([
      { location: 'a.mp3', artist: 'X', title: 'Y' },
      { location: 'b.mp3', artist: null, title: 'B' },
      { location: 'c.mp3', artist: null, title: null },
    ]);
  });
});

describe('XSPF', () => {
  it('decodes relative locations and entities, and keeps URLs', () => {
    const text = `<?xml version="1.0" encoding="UTF-8"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><title>A &amp; B</title>
      <trackList><track><location>Old%20Music/a%23b.mp3</location><creator>C&#233;</creator><title>T</title></track>
      <track><location>file:///m/b%20c.mp3</location></track><track><title>only a name</title></track></trackList></playlist>`;
    expect(parsePlaylists(bytes(text), 'x.xspf')).toEqual([
      {
        name: 'A & B',
        format: 'xspf',
        entries: [
          { location: 'Old Music/a#b.mp3', artist: 'Cé', title: 'T' },
          { location: 'file:///m/b%20c.mp3', artist: null, title: null },
          { location: '', artist: null, title: 'only a name' },
        ],
      },
    ]);
  });
});

describe('Rekordbox', () => {
  it('lists by number and by location, named with the folders', () => {
    const text = `<?xml version="1.0" encoding="UTF-8"?><DJ_PLAYLISTS Version="1.0.0"><PRODUCT Name="rekordbox"/>
      <COLLECTION Entries="2"><TRACK TrackID="7" Name="N" Artist="A" Location="file://localhost/C:/m/n.mp3"/>
      <TRACK TrackID="8" Name="O" Artist="" Location="file://localhost/C:/m/o.mp3"/></COLLECTION>
      <PLAYLISTS><NODE Type="0" Name="ROOT" Count="1"><NODE Type="0" Name="2024" Count="1">
      <NODE Name="Warm" Type="1" KeyType="0" Entries="3"><TRACK Key="8"/><TRACK Key="7"/><TRACK Key="99"/></NODE></NODE>
      <NODE Name="Late" Type="1" KeyType="1" Entries="1"><TRACK Key="file://localhost/C:/m/n.mp3"/></NODE></NODE></PLAYLISTS></DJ_PLAYLISTS>`;
    const lists = parsePlaylists(bytes(text), 'x.xml');
    expect(lists.map(({ name }) => name)).toEqual(['2024 / Warm', 'Late']);
    expect(lists[0]?.entries).toEqual([
      { location: 'file://localhost/C:/m/o.mp3', artist: null, title: 'O' },
      { location: 'file://localhost/C:/m/n.mp3', artist: 'A', title: 'N' },
      { location: '', artist: null, title: null },
    ]);
    expect(lists[1]?.entries[0]).toMatchObject({ title: 'N' });
  });
});

describe('what is no playlist', () => {
  const bomb = `<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><playlist><title>&b;</title></playlist>`;
  it.each([
    ['', 'a.m3u', 'empty'],
    [' \r\n', 'a.pls', 'empty'],
    ['dear diary', 'a.txt', 'not-a-playlist'],
    ['ID3\u0000\u0001', 'a.m3u', 'not-a-playlist'],
    ['<html><body/></html>', 'a.xml', 'not-a-playlist'],
    ['#EXTM3U\n#EXT-X-TARGETDURATION:10\nseg0.ts\n', 'a.m3u8', 'not-a-playlist'],
    ['<?xml version="1.0"?><!DOCTYPE plist><plist version="1.0"/>', 'Library.xml', 'not-a-playlist'],
    [bomb, 'a.xspf', 'syntax'],
    ['<playlist><trackList>', 'a.xspf', 'syntax'],
    ['<playlist>'.repeat(5000) + '</playlist>'.repeat(5000), 'a.xspf', 'syntax'],
  ])('%#', (text, path, code) => {
    const error = refusal(bytes(text), path);
    expect(error.code).toBe(code);
    expect(error.hint).not.toBe('');
  });

  it('reads no device, no folder and nothing that is not there', async () => {
    await expect(readPlaylists('/dev/zero')).rejects.toThrow(/no regular file/);
    await expect(readPlaylists(tmpdir())).rejects.toThrow(/no regular file/);
    await expect(readPlaylists(join(tmpdir(), 'no such file.m3u'))).rejects.toMatchObject({
      code: 'missing',
    });
  });
});

describe('a file', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archetone-playlists-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('names its playlist where it does not name it itself, and is empty without an entry', async () => {
    const path = join(folder, 'Evening.m3u8');
    await writeFile(path, 'a.mp3\n');
    expect((await readPlaylists(path))[0]?.name).toBe('Evening');
    await writeFile(path, '#EXTM3U\n');
    await expect(readPlaylists(path)).rejects.toMatchObject({ code: 'empty' });
    await writeFile(path, `${'x'.repeat(5000)}.mp3\na.mp3\n`);
    expect((await readPlaylists(path))[0]?.entries.map(({ location }) => location)).toEqual(['', 'a.mp3']);
  });
});
