import { answer } from '../answer.ts';
import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';

type Part = Pick<Handlers, 'preferences.get' | 'preferences.change'>;

/** What a person prefers. */
export function preferencesHandlers({ preferences, packs, events }: EngineContext): Part {
  return {
    'preferences.get': () => answer(() => preferences.now),
    'preferences.change': async ({ change }) => {
      const changed = preferences.change(change);
      packs.useThreads(preferences.now.threads);
      events.emit({ type: 'preferences-changed', preferences: preferences.now });
      return changed;
    },
  };
}
