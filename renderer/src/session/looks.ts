import { looksOf } from '../ui/palette.ts';
import type { ClassLook } from '../ui/palette.ts';
import type { App } from '../shell/app.svelte.ts';

/** One look per class in every view: by its place in the taxonomy (most frequent first), then in the experiment. */
export function classLooks(app: App): (name: string | null | undefined) => ClassLook {
  const labels = app.taxonomies.current?.labels.map((label) => label.name) ?? [];
  const classes = app.experiments.current?.classes ?? [];
  return looksOf([...new Set([...classes, ...labels])]);
}
