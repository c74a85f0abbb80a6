import { FusesPlugin } from '@electron-forge/plugin-fuses';
import type { ForgeConfig } from '@electron-forge/shared-types';
import { FuseV1Options, FuseVersion } from '@electron/fuses';
import { openedFiles } from './engine/api/shell.ts';

/** What the packaged application needs: the bundles and the native modules that stay outside them. */
const kept = [
  /^\/package\.json$/,
  /^\/(LICENSE|NOTICES\.md)$/,
  /^\/dist(\/(electron|node|renderer)(\/|$)|$)/,
  /^\/node_modules($|\/)/,
];

/** Everything but native modules is bundled; of those, only this platform's binaries are kept. */
const nativeModules =
  /^\/node_modules\/(onnxruntime-(node|common)|libsql|@libsql|@neon-rs|detect-libc)(\/|$)/;
/** What calls Linux's kernel, for the embedder to give up its rights: its sources and manuals stay here. */
const kernelCalls =
  /^\/node_modules\/(koffi(\/(package\.json|index\.cjs|src(\/koffi(\/index\.cjs|\/src(\/\w+\.cjs)?)?)?))?|@koromix(\/koffi-linux-\w+(\/.*)?)?)$/;
const otherPlatforms = [
  // Electron itself needs glibc.
  /^\/node_modules\/.*musl/,
  new RegExp(`^/node_modules/onnxruntime-node/bin/napi-v\\d+/(?!${process.platform}(/|$))[^/]+`),
  new RegExp(
    `^/node_modules/onnxruntime-node/bin/napi-v\\d+/${process.platform}/(?!${process.arch}(/|$))[^/]+`,
  ),
];
const isScope = /^\/node_modules(\/@(libsql|neon-rs))?$/;

function isIgnored(path: string): boolean {
  if (path === '') return false;
  if (!kept.some((pattern) => pattern.test(path))) return true;
  if (path.endsWith('.map')) return true;
  if (!path.startsWith('/node_modules') || isScope.test(path)) return false;
  if (otherPlatforms.some((pattern) => pattern.test(path))) return true;
  return !nativeModules.test(path) && !(process.platform === 'linux' && kernelCalls.test(path));
}

const electronZipDir = process.env['ELECTRON_ZIP_DIR'];

const config: ForgeConfig = {
  packagerConfig: {
    name: 'Archetone',
    executableName: 'archetone',
    appBundleId: 'org.archetone.app',
    appCategoryType: 'public.app-category.music',
    // The ending is each system's own; scripts/icons.mjs draws them.
    icon: 'dist/icons/archetone',
    extendInfo: {
      NSMicrophoneUsageDescription:
        'To classify a sound that you record, or to find what sounds like it. Recordings stay on this machine.',
      CFBundleDocumentTypes: [
        {
          CFBundleTypeName: 'Archetone library',
          CFBundleTypeExtensions: [...openedFiles.library],
          CFBundleTypeRole: 'Editor',
          LSHandlerRank: 'Owner',
        },
        {
          CFBundleTypeName: 'Checkpoint of a model',
          CFBundleTypeExtensions: [...openedFiles.checkpoint],
          CFBundleTypeRole: 'Viewer',
          // Other programs write checkpoints, too: offered, never taken from them.
          LSHandlerRank: 'Alternate',
        },
        {
          CFBundleTypeName: 'Folder',
          LSItemContentTypes: ['public.folder'],
          CFBundleTypeRole: 'Viewer',
          LSHandlerRank: 'None',
        },
      ],
    },
    // Native code, and the worker that is started by its path, must lie outside the archive.
    asar: { unpack: '{**/*.{node,so,so.*,dylib,dll},**/dist/node/**}' },
    prune: false,
    ignore: isIgnored,
    // The licences lie where a person finds them, too, not only in the archive.
    extraResource: [
      'LICENSE',
      'NOTICES.md',
      'dist/sbom.cdx.json',
      'dist/icons/256.png',
      'models/packs',
      'demo/sounds',
      'models/melody/basic-pitch',
      'node_modules/supersonic-scsynth-samples/samples',
    ],
    ...(electronZipDir ? { electronZipDir } : {}),
  },
  // The Debian package is written by scripts/deb.mjs: file types need more than Forge's maker can.
  makers: [
    { name: '@electron-forge/maker-zip', platforms: ['linux', 'darwin', 'win32'], config: {} },
    { name: '@electron-forge/maker-dmg', platforms: ['darwin'], config: {} },
    {
      name: '@electron-forge/maker-squirrel',
      platforms: ['win32'],
      config: { name: 'archetone', setupIcon: 'dist/icons/archetone.ico' },
    },
  ],
  plugins: [
    new FusesPlugin({
      version: FuseVersion.V1,
      [FuseV1Options.RunAsNode]: false,
      [FuseV1Options.EnableCookieEncryption]: true,
      [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
      // Only a build made for the end-to-end tests may be driven from outside.
      [FuseV1Options.EnableNodeCliInspectArguments]: process.env['ARCHETONE_E2E_BUILD'] === '1',
      [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
      [FuseV1Options.OnlyLoadAppFromAsar]: true,
      [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
      [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
    }),
  ],
};

export default config;
