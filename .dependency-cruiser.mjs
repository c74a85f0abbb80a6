/**
 * Imports inside `models` and `engine` point one way (docs/adr/0011): from later lines of these lists to earlier ones.
 * Folders of one line may use each other, but nothing may go round in a circle, neither files nor folders.
 */
const models = [
  ['numerics', 'tensors', 'audio', 'text'],
  ['embeddings', 'evaluation', 'checkpoint', 'deformations', 'playlists'],
  ['modulation', 'packs', 'onnx', 'neighbours', 'knn', 'reduction'],
  ['backbones', 'pecmae', 'datasets', 'handmade', 'tensorflow'],
  [
    'benchmarks',
    'conversion',
    'descriptors',
    'melody',
    'mistakes',
    'modalities',
    'probes',
    'projection',
    'similarity',
    'views',
  ],
];

const engine = [
  ['api', 'wire'],
  [
    'confine',
    'datasets',
    'decode',
    'embedder',
    'files',
    'helpers',
    'jobs',
    'packs',
    'preferences',
    'queue',
    'readers',
    'storage',
    'threads',
  ],
  ['library'],
  ['bundles', 'caches', 'import', 'playlists', 'recordings', 'taxonomies'],
  ['experiments', 'worker'],
  ['classify'],
  ['modalities', 'neighbours', 'similarity'],
  ['sonify'],
  ['melody', 'mistakes', 'modulation', 'prototypes', 'reductions', 'scoring'],
  ['exports', 'listening', 'projection', 'stores'],
  ['evaluate'],
  ['app'],
];

/** One rule per line: nothing in it imports a folder of a later line. */
function oneWay(root, lines) {
  return lines.slice(0, -1).map((line, i) => ({
    name: `${root}-${line.join('-')}`,
    comment: `These folders stand above ${lines
      .slice(i + 1)
      .flat()
      .join(', ')} and may not know them.`,
    severity: 'error',
    from: { path: `^${root}/(${line.join('|')})/` },
    to: {
      path: `^${root}/(${lines
        .slice(i + 1)
        .flat()
        .join('|')})/`,
    },
  }));
}

/** Every file of a tree belongs to a line, so that a new folder has to be given its place. */
function everyFolderHasItsPlace(root, lines) {
  return {
    name: `${root}-place`,
    comment: `A folder of ${root} that stands on no line of .dependency-cruiser.mjs.`,
    severity: 'error',
    from: { path: `^${root}/`, pathNot: `^${root}/((${lines.flat().join('|')})/|[^/]+\\.ts$)` },
    to: {},
  };
}

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-circle-of-files', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-circle-of-folders',
      severity: 'error',
      scope: 'folder',
      from: { path: '^(engine|models)/[^/]+' },
      to: { circular: true },
    },
    ...oneWay('models', models),
    everyFolderHasItsPlace('models', models),
    ...oneWay('engine', engine),
    everyFolderHasItsPlace('engine', engine),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    includeOnly: { path: '^(engine|models|native)/' },
    exclude: { path: '^models/training/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
