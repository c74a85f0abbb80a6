import { svelte } from '@sveltejs/vite-plugin-svelte';
import { readFileSync } from 'node:fs';
import { defineConfig } from 'vite';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** The window: plain files under dist/renderer, served by the desktop shell as archetone://app. */
export default defineConfig({
  root: 'renderer',
  base: './',
  // What the window and the engine tell each other when they meet (engine/wire/version.ts).
  define: { __ARCHETONE_VERSION__: JSON.stringify(version) },
  plugins: [svelte({ configFile: '../svelte.config.js' })],
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    target: 'chrome130',
    // The policy has no data: scripts or fonts; everything stays a file of its own.
    assetsInlineLimit: 0,
    // plotly is one large file by design; it is loaded when the map is opened.
    chunkSizeWarningLimit: 6000,
  },
});
