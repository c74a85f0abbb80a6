import { SharedFolder } from './shared-folder.ts';

let loading = true;

/** Whether a test file is being read, before any test or hook of it runs. */
export function setLoading(now: boolean): void {
  loading = now;
}

/** Reference material beside the repository, for tests under Vitest. */
export function sharedFolder(relative: string): SharedFolder {
  return new SharedFolder(relative, () => loading);
}
