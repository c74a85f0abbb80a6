import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

const ICD = 'vk_swiftshader_icd.json';

/**
 * The software Vulkan driver (SwiftShader) that every Electron carries, by which `webgpu` runs on machines without a
 * graphics card. @returns the path of its description file, or null where no Electron runtime is found.
 */
export function softwareVulkanDriver(): string | null {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folders = [
    process.env['ELECTRON_OVERRIDE_DIST_PATH'],
    resolve(import.meta.dirname, '../../node_modules/electron/dist'),
    ...runtimesIn(cache),
  ];
  const found = folders
    .flatMap((folder) => (folder ? [join(folder, ICD)] : []))
    .find((path) => existsSync(path));
  return process.platform === 'linux' && found !== undefined ? found : null;
}

/** Folders `<cache>/<tool>/electron-v…` as the test runtime is kept. */
function runtimesIn(cache: string): string[] {
  if (!existsSync(cache)) return [];
  return readdirSync(cache, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((tool) =>
      readdirSync(join(cache, tool.name))
        .filter((name) => name.startsWith('electron-v'))
        .map((name) => join(cache, tool.name, name)),
    );
}
