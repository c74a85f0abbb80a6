import svelte from 'eslint-plugin-svelte';
import importX from 'eslint-plugin-import-x';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** The layer rule of the design: renderer → engine/api ← electron → engine → models → native. */
const layerZones = [
  { target: './native', from: ['./models', './engine', './electron', './renderer'] },
  { target: './models', from: ['./engine', './electron', './renderer'] },
  { target: './engine', from: ['./electron', './renderer'] },
  { target: './engine/api', from: ['./engine', './models', './native'], except: ['./api'] },
  { target: './electron', from: ['./renderer', './models', './native'] },
  { target: './renderer', from: ['./electron', './models', './native'] },
  { target: './renderer', from: ['./engine'], except: ['./api'] },
];

const nodeAndElectron = {
  patterns: [
    { group: ['node:*', 'electron', 'electron/*'], message: 'Outside this layer: see the layer rule.' },
  ],
};

export default ts.config(
  {
    ignores: ['dist/**', 'out/**', 'node_modules/**', 'test-results/**', 'models/training/**', 'coverage/**'],
  },
  ...ts.configs.strictTypeChecked,
  ...svelte.configs.recommended,
  {
    plugins: { 'import-x': importX },
    languageOptions: {
      globals: { ...globals.browser, ...globals.node },
      parserOptions: { projectService: true, extraFileExtensions: ['.svelte'] },
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones: layerZones }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  { files: ['renderer/**', 'engine/api/**'], rules: { 'no-restricted-imports': ['error', nodeAndElectron] } },
  {
    files: ['engine/**', 'models/**', 'native/**'],
    ignores: ['engine/api/**'],
    rules: { 'no-restricted-imports': ['error', { paths: ['electron'] }] },
  },
  {
    files: ['**/*.js', '**/*.mjs', 'scripts/**', 'bin/**'],
    ...ts.configs.disableTypeChecked,
  },
);
