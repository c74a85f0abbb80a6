import { availableParallelism } from 'node:os';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

const window = ['tests/renderer/**/*.test.ts', 'renderer/**/*.test.ts'];
const shared = {
  // ONNX Runtime sessions and worker threads need real processes.
  pool: 'forks' as const,
  testTimeout: 60_000,
  hookTimeout: 120_000,
  setupFiles: ['tests/support/each-file.ts'],
};

export default defineConfig({
  test: {
    // One more than there are cores, since some tests wait for a limit to pass; eight take some 8 GB.
    maxWorkers: Math.min(availableParallelism() + 1, 8),
    globalSetup: ['tests/support/bundle-folder.ts'],
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          name: 'engine',
          include: [
            'tests/{native,models,engine,electron,cli,scripts,support,golden,property,fault}/**/*.test.ts',
            '{cli,engine,models,electron}/**/*.test.ts',
          ],
          exclude: window,
        },
      },
      {
        // Only these need Svelte, whose set-up costs a second and more in every file.
        extends: true,
        plugins: [svelte(), svelteTesting()],
        test: { ...shared, name: 'window', include: window },
      },
    ],
  },
});
