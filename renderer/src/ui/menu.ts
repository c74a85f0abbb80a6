import type { IconName } from './icons.ts';

/** Something that can be chosen in the menu of the right mouse button. */
export interface MenuEntry {
  /** Of its kind, for tests: `menu-…`. */
  id: string;
  title: string;
  icon: IconName;
  disabled?: boolean;
  run: () => unknown;
}
