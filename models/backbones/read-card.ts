import { CheckpointError } from '../checkpoint/errors.ts';
import { essentiaCard, essentiaSchema } from './essentia-card.ts';
import type { NetworkCard } from './network-card.ts';
import { ownCard, ownSchema, readWith } from './own-card.ts';

/**
 * Reads the JSON beside a network: Archetone's own, or Essentia's.
 * @throws CheckpointError `bad-config`
 */
export function readCard(source: string): NetworkCard {
  let json: unknown;
  try {
    json = JSON.parse(source);
  } catch (cause) {
    throw new CheckpointError(
      'bad-config',
      'the JSON beside the network is not JSON',
      'Get the file again.',
      { cause },
    );
  }
  const schema = typeof json === 'object' && json !== null && 'schema' in json ? json.schema : undefined;
  if (typeof schema === 'string') return ownCard(readWith(ownSchema, json));
  if (typeof schema === 'object') return essentiaCard(readWith(essentiaSchema, json));
  throw new CheckpointError(
    'bad-config',
    'the JSON beside the network is neither Essentia’s nor Archetone’s',
    'Write one with "schema": "archetone.network/1", as “Bringing the official models” says.',
  );
}
