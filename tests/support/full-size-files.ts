import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeTorchFile, type TorchTensor } from './torch-writer.ts';

/** The official files, by the lists of their keys in the reference material. */
export const fullSizeFiles = {
  encodec: { keys: 'encodec', file: 'encodec/encodec_24khz.th', wrapped: false, gin: null },
  autoencoder4: { keys: 'diff4s', file: 'ae4/weights.pt', wrapped: true, gin: 'MAX_AUDIO_DURATION=4.0\n' },
  autoencoder10: { keys: 'diff4s', file: 'ae10/weights.pt', wrapped: true, gin: 'MAX_AUDIO_DURATION=10.0\n' },
  base: { keys: 'base_v1', file: 'base/model.pt', wrapped: true, gin: 'NUM_ENCODER_HEADS=12\n' },
  regressor: {
    keys: 'regressor',
    file: 'regressor/weights.pt',
    wrapped: true,
    gin: 'MAX_AUDIO_DURATION=4.0\n',
  },
  mel: { keys: 'mel_v2', file: 'mel/mel256-ec-base.pt', wrapped: true, gin: 'NUM_ENCODER_HEADS=12\n' },
} as const;
export type FullSizeName = keyof typeof fullSizeFiles;

/**
 * Writes a checkpoint of official size and layout with random weights, its configuration beside it.
 * @param keysFolder holds `<model>.keys.json`: `[name, shape, dtype][]`
 * @returns its path
 */
export function writeFullSize(name: FullSizeName, keysFolder: string, folder: string): string {
  const { keys, file, wrapped, gin } = fullSizeFiles[name];
  const list = JSON.parse(readFileSync(join(keysFolder, `${keys}.keys.json`), 'utf8')) as [
    string,
    number[],
  ][];
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  const tensors = list.map(([tensor, shape]): TorchTensor => ({
    name: tensor,
    shape,
    storage: sharedAs(tensor),
  }));
  const shapes = new Map(list);
  writeTorchFile(path, tensors, {
    wrapped,
    fill: (storage, elements) => randomWeights(storage, shapes.get(storage) ?? [elements], elements),
  });
  if (gin !== null) writeFileSync(join(dirname(path), 'config.gin'), gin);
  return path;
}

/** The feed-forward part of a stack is one object in all of its layers. */
function sharedAs(name: string): string {
  return name.replace(/(encoder_layers)\.\d+\.(ff_layer\.)/, '$1.0.$2');
}

/** Weights that keep signals at a sensible size, so that no graph runs into infinities. */
function randomWeights(name: string, shape: readonly number[], elements: number): Float32Array {
  const values = new Float32Array(elements);
  if (/norm\d*\.weight$|weight_g$|\.scale$|inited$/.test(name)) return values.fill(1);
  const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
  const reach = /bias/.test(name) ? 0.02 : 1.7 / Math.sqrt(fanIn);
  // A multiplicative generator is random enough, and a hundred million numbers are many.
  let state = Buffer.from(name).reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 7) | 1;
  for (let i = 0; i < elements; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = (state / 2 ** 31) * reach;
  }
  return values;
}
