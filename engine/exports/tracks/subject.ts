import type { SpaceInfo } from '../../api/spaces.ts';
import { EngineError } from '../../api/errors.ts';
import type { Library } from '../../library/library.ts';
import { fileName } from '../../bundles/names.ts';
import type { ExportSpec } from '../spec.ts';

/** Which tracks, and what of them. */
export type TrackSubject = Extract<ExportSpec['subject'], { kind: 'tracks' }>;

/** A space whose embeddings are written. */
export interface ExportedSpace {
  space: SpaceInfo;
  /** What its column or array is called: `vector`, or with its pack where there are several. */
  column: string;
  dim: number;
}

/**
 * The spaces that are asked for.
 * @throws EngineError `bad-input` for windows without one space, and for a map or neighbours without any; `not-found` for a
 * space that is not there, or in which no track is embedded
 */
export function exportedSpaces(library: Library, subject: TrackSubject): ExportedSpace[] {
  const spaces = subject.spaces.map((key) => library.spaces.get(key));
  if (subject.level === 'window' && spaces.length !== 1)
    throw new EngineError(
      'bad-input',
      'Windows are cut as their embedding space says, and there is not one.',
      'Name one space for an export of windows.',
    );
  if (spaces.length === 0 && (subject.map !== null || subject.neighbours > 0))
    throw new EngineError(
      'bad-input',
      'A map and neighbours are those of an embedding space, and none is named.',
      'Name a space, or leave the map and the neighbours out.',
    );
  return spaces.map((space) => {
    const [track] = library.embeddings.tracks(space).trackIds;
    if (track === undefined)
      throw new EngineError(
        'not-found',
        `No track is embedded with the pack “${space.packId}” in this space.`,
        'Import the library with that pack first.',
      );
    return { space, column: columnOf(space, spaces), dim: library.embeddings.load(space, [track]).dim };
  });
}

function columnOf(space: SpaceInfo, spaces: readonly SpaceInfo[]): string {
  if (spaces.length === 1) return 'vector';
  const pack = `vector_${fileName(space.packId).replaceAll(/[^A-Za-z0-9_]+/g, '_')}`;
  const alike = spaces.filter(({ packId }) => packId === space.packId);
  // Of one pack, windows or deformations differ: its key tells them apart.
  return alike.length === 1 ? pack : `${pack}_${space.key.slice(0, 8)}`;
}
