import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { EngineError } from '../../engine/api/errors.ts';
import type { AddVerb } from '../verb.ts';
import { requireExisting } from './classify.ts';

export const openVerb: AddVerb = (program, cli) => {
  program
    .command('open')
    .description('Start the desktop application, with a folder of music when one is named.')
    .argument('[folder]', 'folder to open')
    .addHelpText('after', '\nExample:\n  archetone open ~/Music')
    .action((folder: string | undefined) =>
      cli.answer(async () => {
        const path = folder === undefined ? null : requireExisting(folder);
        const main = join(cli.places.root, 'dist', 'electron', 'main.js');
        const electron = findElectron(cli.places.root);
        if (electron === null || !existsSync(main))
          throw new EngineError(
            'not-found',
            'The desktop application is not set up in this installation.',
            'Run npm start in the folder of Archetone once; it does all set-up.',
          );
        // The folder, not its main file: Electron takes name, version and with them the user's data from package.json.
        const child = spawn(electron, [cli.places.root, ...(path === null ? [] : [path])], {
          detached: true,
          stdio: 'ignore',
        });
        await new Promise<void>((resolve, reject) => {
          child.once('spawn', resolve);
          child.once('error', reject);
        });
        child.unref();
        return {
          json: { started: true, folder: path, pid: child.pid ?? null },
          text: 'Archetone is starting.',
        };
      }),
    );
};

/** The Electron binary that is already on this machine; nothing is downloaded here. */
function findElectron(root: string): string | null {
  const override = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  const binary = process.platform === 'win32' ? 'electron.exe' : 'electron';
  if (override !== undefined && existsSync(join(override, binary))) return join(override, binary);
  try {
    const folder = dirname(createRequire(join(root, 'package.json')).resolve('electron/package.json'));
    // Electron's own installer notes here where the binary lies on this platform.
    const path = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8').trim());
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}
