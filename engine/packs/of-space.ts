import type { Pack } from '../../models/packs/index.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';

/**
 * The pack that makes the vectors of a space, in the very version that made them.
 * @param relation how it is needed, as the end of a sentence: “this experiment was trained with”
 * @throws EngineError `pack` when it is not installed; `other-space` when only another version of it is
 */
export function packOfSpace(context: EngineContext, space: SpaceInfo, relation: string): Pack {
  const pack = context.packs.ofSpace(space);
  if (pack) return pack;
  const other = context.packs.find(space.packId);
  if (!other) return context.packs.get(space.packId);
  throw new EngineError(
    'other-space',
    `The pack “${other.manifest.title}” is not the one ${relation}.`,
    'Install the pack it was made with, or import the library and make it again.',
  );
}
