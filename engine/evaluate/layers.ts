import type { Layer, LayerChoice } from '../../models/packs/index.ts';
import { PackError } from '../../models/packs/index.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';

const BETWEEN = '@';

/** A layer of a pack as one word: ids of packs hold no “@”. */
export const layerText = (packId: string, layer: LayerChoice): string =>
  `${packId}${BETWEEN}${String(layer)}`;

/** What names each block among the layers of a network: its number, or its name where two stacks of blocks count alike. */
export function blockChoices(layers: readonly Layer[]): LayerChoice[] {
  const blocks = layers.filter(({ number }) => number !== null);
  return blocks.map(({ name, number }) =>
    number !== null && blocks.filter((block) => block.number === number).length === 1 ? number : name,
  );
}

/** The pack that a space is of, and the layer of it; null: its embedding. */
export function spaceParts(space: string): { packId: string; layer: LayerChoice | null } {
  const at = space.indexOf(BETWEEN);
  if (at < 0) return { packId: space, layer: null };
  const layer = space.slice(at + 1);
  return { packId: space.slice(0, at), layer: /^\d{1,5}$/.test(layer) ? Number(layer) : layer };
}

/**
 * Id of the pack that makes the vectors of a space; one of a layer is made when it is first asked for.
 * @returns null where there is none, which is told
 */
export async function packOfSpace(
  { packs }: Pick<EngineContext, 'packs'>,
  space: string,
  tell: (message: string) => void,
): Promise<string | null> {
  const { packId, layer } = spaceParts(space);
  if (!packs.find(packId)) {
    tell(`There is no pack “${packId}”; it is not run.`);
    return null;
  }
  if (layer === null) return packId;
  try {
    return (await packs.layer(packId, layer)).manifest.id;
  } catch (thrown) {
    if (!(thrown instanceof PackError) && !(thrown instanceof EngineError)) throw thrown;
    tell(`${thrown.message.replace(/^./, (first) => first.toUpperCase())}. ${thrown.hint} It is not run.`);
    return null;
  }
}
