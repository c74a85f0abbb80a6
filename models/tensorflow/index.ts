export { tensorflowToOnnx, type TfRequest } from './convert.ts';
export { readFrozenGraph } from './frozen.ts';
export type { TfGraph } from './graph.ts';
export { isTfjs, readTfjs, type TfjsFiles } from './tfjs.ts';
