export * from './array.ts';
export * from './npy.ts';
export * from './npz.ts';
export * from './npz-pieces.ts';
export * from './safetensors.ts';
export * from './half.ts';
