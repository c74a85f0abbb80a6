import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { poolTracks } from '../../models/embeddings/pooling.ts';
import { selectTracks, withLabels } from '../../models/embeddings/tracks.ts';
import { handmadePack } from '../../models/handmade/pack.ts';
import { handmadeSpaces } from '../../models/handmade/registry.ts';
import { readPack, writePack, type Pack } from '../../models/packs/index.ts';
import { embedFolder } from './mistakes-collection.ts';

/** Tracks that a class has at the least. */
const LEAST_TRACKS = 5;

/** A collection in several embedding spaces: the same windows in the same order. */
export interface ViewedCollection {
  name: string;
  views: { id: string; set: LabelledWindows }[];
}

/**
 * Embeds a folder with a folder per class, or with files that begin with their class.
 * @param ids `compact`, or hand-made spaces
 */
export async function collectionInViews(
  name: string,
  folder: string,
  ids: readonly string[],
): Promise<ViewedCollection> {
  const labelOf = (path: string): string[] =>
    [path.includes('/') ? path.split('/')[0] : path.split('_')[0]].flatMap((label) => label ?? []);
  const views: ViewedCollection['views'] = [];
  for (const id of ids) views.push({ id, set: await embedFolder(folder, labelOf, await packOf(id)) });
  return { name, views };
}

export async function packOf(id: string): Promise<Pack | undefined> {
  const space = handmadeSpaces.find((known) => known.id === id);
  if (!space) return undefined;
  const folder = join(tmpdir(), 'archetone-bench', 'packs', id);
  mkdirSync(join(folder, '..'), { recursive: true });
  return readPack(await writePack(handmadePack(space), folder));
}

/** Without labels that few tracks bear, and tracks that bear no other. */
export function frequentClasses(set: LabelledWindows): LabelledWindows {
  const { labels, labelNames: names, tracks } = poolTracks(set);
  const bears = (track: number, label: number): boolean => labels[track * names.length + label] === 1;
  const kept = names.flatMap((_, label) =>
    [...tracks.ids.keys()].filter((track) => bears(track, label)).length >= LEAST_TRACKS ? [label] : [],
  );
  const some = withLabels(
    set,
    kept.map((label) => names[label] ?? ''),
  );
  return selectTracks(some, (track) => kept.some((label) => bears(track, label)));
}
