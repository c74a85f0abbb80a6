import { elementsNamed, type XmlElement } from '../text/index.ts';
import { orNull, type Playlist } from './playlist.ts';

/** XSPF: `<track>` with `<location>` (a URI, which may be relative), `<creator>` and `<title>`. */
export function parseXspf(root: XmlElement): Playlist {
  const tracks = root.children.find(({ name }) => name === 'trackList')?.children ?? [];
  return {
    name: orNull(textIn(root, 'title')),
    format: 'xspf',
    entries: tracks
      .filter(({ name }) => name === 'track')
      .map((track) => ({
        location: pathOf(textIn(track, 'location').trim()),
        artist: orNull(textIn(track, 'creator')),
        title: orNull(textIn(track, 'title')),
      })),
  };
}

/**
 * The playlists of a collection that Rekordbox exported: nodes of type 1 list tracks of the collection by number, or
 * (`KeyType="1"`) by location; those of type 0 are folders. Lists are named with the folders they lie in.
 */
export function parseRekordbox(root: XmlElement): Playlist[] {
  const tracks = root.children
    .filter(({ name }) => name === 'COLLECTION')
    .flatMap(({ children }) => children)
    .map(({ attributes }) => ({
      id: attributes['TrackID'] ?? '',
      location: attributes['Location'] ?? '',
      artist: orNull(attributes['Artist']),
      title: orNull(attributes['Name']),
    }));
  const byId = new Map(tracks.map(({ id, ...entry }) => [id, entry]));
  const byLocation = new Map(
    tracks.map(({ location, artist, title }) => [location, { location, artist, title }]),
  );
  const lists: Playlist[] = [];
  const walk = (node: XmlElement, folders: readonly string[]): void => {
    const name = node.attributes['Name'] ?? '';
    if (node.attributes['Type'] !== '1') {
      const inside = name === 'ROOT' || name === '' ? folders : [...folders, name];
      for (const child of node.children) if (child.name === 'NODE') walk(child, inside);
      return;
    }
    const known = node.attributes['KeyType'] === '1' ? byLocation : byId;
    const entries = [...elementsNamed(node.children, 'TRACK')].map(({ attributes: { Key: key = '' } }) => {
      // A number without a track says nothing of a file.
      const location = known === byLocation ? key : '';
      return known.get(key) ?? { location, artist: null, title: null };
    });
    lists.push({ name: orNull([...folders, name].join(' / ')), format: 'rekordbox', entries });
  };
  for (const { name, children } of root.children)
    if (name === 'PLAYLISTS') for (const node of children) if (node.name === 'NODE') walk(node, []);
  return lists;
}

const textIn = ({ children }: XmlElement, name: string): string =>
  children.find((child) => child.name === name)?.text ?? '';

/** A relative URI as a path; whole URLs stay, for whoever looks for the file. */
function pathOf(uri: string): string {
  if (/^[a-z][a-z0-9+.-]+:/i.test(uri)) return uri;
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}
