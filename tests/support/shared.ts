import { beforeAll } from 'vitest';
import { SharedFolder } from './shared-folder.ts';

let loading = true;
// Vitest evaluates this module once for each test file, before the file's own hooks are registered.
beforeAll(() => {
  loading = false;
});

/** Reference material beside the repository, for tests under Vitest. */
export function sharedFolder(relative: string): SharedFolder {
  return new SharedFolder(relative, () => loading);
}
