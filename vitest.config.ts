import { availableParallelism } from 'node:os';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

const window = ['tests/renderer/**/*.test.ts', 'renderer/**/*.test.ts'];
/** What changes the process that it runs in, or kills and mocks parts of it. */
const apart = [
  'tests/{cli,electron,fault,scripts}/**/*.test.ts',
  'tests/engine/wire/**/*.test.ts',
  '{cli,electron}/**/*.test.ts',
];
const shared = {
  // ONNX Runtime sessions and worker threads need real processes.
  pool: 'forks' as const,
  testTimeout: 60_000,
  hookTimeout: 120_000,
  setupFiles: ['tests/support/each-file.ts'],
  // A test that fails before it took its mocks back would make the next ones fail.
  restoreMocks: true,
  // A second, as by default, is no long time on a busy machine: what waits for the right answer goes on as soon as it is there.
  expect: { poll: { timeout: 30_000 } },
};

export default defineConfig({
  test: {
    // One more than there are cores, since some tests wait for a limit to pass; eight take some 8 GB.
    maxWorkers: Math.min(availableParallelism() + 1, 8),
    globalSetup: ['tests/support/bundle-folder.ts'],
    projects: [
      {
        extends: true,
        test: { ...shared, name: 'apart', include: apart, exclude: window },
      },
      {
        // One process for many files: reading the engine's modules took longer than most of their tests.
        extends: true,
        test: {
          ...shared,
          name: 'together',
          isolate: false,
          unstubEnvs: true,
          unstubGlobals: true,
          include: [
            'tests/{native,models,engine,support,golden,property}/**/*.test.ts',
            '{engine,models}/**/*.test.ts',
          ],
          exclude: apart,
        },
      },
      {
        // Only these need Svelte, whose set-up costs a second and more in every file.
        extends: true,
        plugins: [svelte(), svelteTesting()],
        // Without the set-up of the others: a browser’s environment has no place for what it takes from Node.
        test: { ...shared, name: 'window', include: window, setupFiles: ['tests/support/patience.ts'] },
      },
    ],
  },
});
