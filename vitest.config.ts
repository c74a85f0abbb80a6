import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte(), svelteTesting()],
  test: {
    include: [
      'tests/{unit,golden,property,fault}/**/*.test.ts',
      '{cli,engine,models,renderer,electron}/**/*.test.ts',
    ],
    // ONNX Runtime sessions and worker threads need real processes; two at a time suits two cores.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
