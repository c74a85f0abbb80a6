import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { repository } from './app.ts';

/** Lets the tests be run on their own, without `npm test` having named the runtime. */
export default function useElectronRuntime(): void {
  process.env['ELECTRON_OVERRIDE_DIST_PATH'] ??= execFileSync(
    process.execPath,
    [join(repository, 'scripts', 'ensure-electron.mjs')],
    { encoding: 'utf8' },
  ).trim();
}
