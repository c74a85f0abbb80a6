import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { repository, temporaryFolder } from './app.ts';

/** Lets the tests be run on their own, without `npm test` having named the runtime; gives them a folder for what they share. */
export default function prepareRun(): () => void {
  process.env['ELECTRON_OVERRIDE_DIST_PATH'] ??= execFileSync(
    process.execPath,
    [join(repository, 'scripts', 'ensure-electron.mjs')],
    { encoding: 'utf8' },
  ).trim();
  const kept = temporaryFolder('kept');
  process.env['ARCHETONE_E2E_KEPT'] = kept;
  return () => rmSync(kept, { recursive: true, force: true });
}
