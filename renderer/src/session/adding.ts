import { tick } from 'svelte';
import type { Experiment } from '../../../engine/api/experiments.ts';
import type { VectorRef } from '../../../engine/api/neighbours.ts';
import type { App } from '../shell/app.svelte.ts';
import type { LibrarySession } from './library-session.svelte.ts';
import { showPrototypes } from './menus.ts';

/** The first of some labels that the experiment which is shown knows as a class, where one can be added to it from anywhere. */
export function addableClass(
  experiment: Pick<Experiment, 'classes' | 'views'> | null,
  labels: readonly string[],
): string | null {
  if (experiment === null || experiment.views !== null) return null;
  return labels.find((label) => experiment.classes.includes(label)) ?? null;
}

/** Shows in Prototypes what adding a vector to a class of the present experiment would do; nothing is changed yet. */
export async function lookAtAdding(
  app: App,
  session: LibrarySession,
  className: string,
  vector: VectorRef,
): Promise<void> {
  showPrototypes(app, session, className);
  // The view drops what was looked at when it opens.
  await tick();
  await session.notices.attempt(() =>
    session.studio.look(`Add a prototype of ${className}`, { kind: 'add', class: className, vector }),
  );
}
