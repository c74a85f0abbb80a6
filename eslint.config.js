import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

const folders = ['native', 'models', 'engine', 'electron', 'cli', 'renderer'];

/**
 * The layer rule of the design: renderer → engine/api ← electron, cli → engine → models → native. Our own modules are
 * imported by relative paths, so the folder's name in the path says which layer is meant.
 */
function layer(name, mayImport, outside = []) {
  // Whoever may use the contract may use the wire that carries it.
  const mayUseContract = mayImport.includes('engine/api');
  const refused = folders.filter((folder) => folder !== name && !mayImport.includes(folder));
  const patterns = refused.map((folder) => ({
    regex: `^(\\.\\./)+${folder}/${mayUseContract && folder === 'engine' ? '(?!(api|wire)/)' : ''}`,
    message: `${name} must not import ${folder}: see the layer rule.`,
  }));
  const foreign = outside.map((group) => ({
    group: [group],
    message: `Not in ${name}: see the layer rule.`,
  }));
  return {
    files: [`${name}/**`],
    ignores: name === 'engine' ? ['engine/api/**', 'engine/wire/**'] : [],
    rules: { 'no-restricted-imports': ['error', { patterns: [...patterns, ...foreign] }] },
  };
}

export default ts.config(
  {
    ignores: ['dist/**', 'out/**', 'node_modules/**', 'test-results/**', 'models/training/**', 'coverage/**'],
  },
  { files: ['**/*.ts'], languageOptions: { parser: ts.parser } },
  ...ts.configs.strict.map((config) => ({ ...config, files: ['**/*.svelte'] })),
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
  },
  // No compiler looks at these, and some of them run only when a package is made.
  { files: ['**/*.{js,mjs}'], rules: { 'no-undef': 'error' } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    // A property that is bound is assigned to; those taken apart beside it are not.
    rules: { 'prefer-const': ['error', { destructuring: 'all' }] },
  },
  layer('native', []),
  layer('models', ['native'], ['electron']),
  layer('engine', ['models'], ['electron']),
  layer('electron', ['engine']),
  layer('cli', ['engine'], ['electron']),
  layer('renderer', ['engine/api'], ['node:*', 'electron']),
  {
    files: ['engine/api/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(\\.\\./(?!wire/)|node:|electron)',
              message: 'The contract knows nothing but itself and the wire.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['engine/wire/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(\\.\\./(?!(port|errors)\\.ts$)|electron)',
              message: 'The wire stands below everything else.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['tests/**'],
    ignores: ['tests/support/shared-folder.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "Literal[value='ARCHETONE_SHARED'], Literal[value=/^([.][.][/])+shared([/]|$)/]",
          message: 'Reach reference material through sharedFolder(): it skips visibly where there is none.',
        },
      ],
    },
  },
);
