import { looksOf } from '../ui/palette.ts';
import type { ClassLook } from '../ui/palette.ts';
import type { LibrarySession } from './library-session.svelte.ts';

/** One look per class in every view, whatever is trained: by its place in the taxonomy, then in the experiment. */
export function classLooks(session: LibrarySession): (name: string | null | undefined) => ClassLook {
  const labels = session.taxonomies.current?.labels.map((label) => label.name) ?? [];
  const classes = session.experiments.current?.classes ?? [];
  return looksOf([...new Set([...labels, ...classes])]);
}
