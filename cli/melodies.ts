import type { KeptMelody } from '../engine/api/melodies.ts';
import { EngineError } from '../engine/api/errors.ts';
import type { Session } from './session.ts';

/** A melody by its name or id. @throws EngineError `not-found` */
export async function melodyNamed(session: Session, libraryId: string, named: string): Promise<KeptMelody> {
  const all = await session.client.call('melodies.list', { libraryId });
  const found = all.find(({ id, name }) => id === named || name === named);
  if (found) return found;
  throw new EngineError(
    'not-found',
    `No melody is called “${named}”.`,
    all.length === 0
      ? 'This library keeps none: archetone melody add takes MIDI files.'
      : `There are ${all
          .slice(0, 10)
          .map(({ name }) => `“${name}”`)
          .join(', ')}${all.length > 10 ? ' …' : ''}.`,
  );
}
