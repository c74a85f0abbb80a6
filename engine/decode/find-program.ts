import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Where installers put programs that a desktop application does not find: it gets a shorter PATH than a terminal. */
const usual: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['/opt/homebrew/bin', '/usr/local/bin', '/opt/local/bin'],
  linux: ['/usr/local/bin', '/usr/bin', '/snap/bin', '/home/linuxbrew/.linuxbrew/bin'],
  win32: ['C:\\ffmpeg\\bin', 'C:\\Program Files\\ffmpeg\\bin', 'C:\\ProgramData\\chocolatey\\bin'],
};

/** Absolute path of a program on the PATH or in the usual folders; null when there is none. */
export async function findProgram(
  name: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | null> {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  // An empty entry of the PATH means the present folder, where nothing is looked for.
  const folders = [...(environment.PATH ?? '').split(delimiter), ...(usual[process.platform] ?? [])];
  for (const folder of folders.filter((entry) => entry !== '')) {
    const path = join(folder, file);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return null;
}
