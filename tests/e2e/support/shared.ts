import { test } from '@playwright/test';
import { SharedFolder } from '../../support/shared-folder.ts';

/** Reference material beside the repository, for tests under Playwright. */
export function sharedFolder(relative: string): SharedFolder {
  return new SharedFolder(relative, isLoading);
}

/** Playwright knows the running test in tests and hooks only. */
function isLoading(): boolean {
  try {
    test.info();
    return false;
  } catch {
    return true;
  }
}
