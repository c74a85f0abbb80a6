import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GraphBuilder } from '../../models/onnx/builder.ts';
import { Random } from '../../models/numerics/random.ts';

/** Sizes of the made-up networks: as published, but for their widths. */
export interface NetworkSizes {
  frames: number;
  bands: number;
  dim: number;
  classes: number;
}

/** What a made-up network computes, worked out here: for comparison. */
export interface NetworkTwin {
  /** Of one patch `[frames, bands]`. */
  embedding: (patch: Float32Array) => number[];
  tags: (patch: Float32Array) => number[];
}

interface NetworkOptions {
  seed?: number;
  /** Patches at once; default: any number. */
  batch?: number;
  /** Default `[n, frames, bands]`. */
  order?: 'time-band' | 'one-time-band' | 'one-band-time';
  input?: string;
  outputs?: { embeddings: string; activations: string };
}

/** The mean of a patch over time, a layer with ReLU as the embedding, and a layer with sigmoid as the tags. */
export function taggerGraph(
  sizes: NetworkSizes,
  options: NetworkOptions = {},
): { onnx: Uint8Array; twin: NetworkTwin } {
  const { frames, bands, dim, classes } = sizes;
  const { seed = 1, batch = 'n', order = 'time-band', input = 'melspectrogram' } = options;
  const { embeddings, activations } = options.outputs ?? {
    embeddings: 'embeddings',
    activations: 'activations',
  };
  const random = new Random(seed);
  const hidden = random.normals(bands * dim).map((value) => value / Math.sqrt(bands));
  const head = random.normals(dim * classes).map((value) => value / Math.sqrt(dim));
  const g = new GraphBuilder('tagger');
  const dims = {
    'time-band': [batch, frames, bands],
    'one-time-band': [batch, 1, frames, bands],
    'one-band-time': [batch, 1, bands, frames],
  }[order];
  const mel = g.input(input, 'float32', dims);
  const mean = g.reduceMean(
    mel,
    order === 'time-band' ? [1] : order === 'one-time-band' ? [1, 2] : [1, 3],
    false,
  );
  const embedding = g.relu(g.matMul(mean, g.weight('hidden', [bands, dim], hidden)));
  g.output(embeddings, embedding, [batch, dim]);
  g.output(activations, g.sigmoid(g.matMul(embedding, g.weight('head', [dim, classes], head))), [
    batch,
    classes,
  ]);
  const embed = (patch: Float32Array): number[] => {
    const means = Array.from({ length: bands }, (_, band) => {
      let sum = 0;
      for (let frame = 0; frame < frames; frame++) sum += patch[frame * bands + band] ?? NaN;
      return sum / frames;
    });
    return product(means, hidden, dim).map((value) => Math.max(0, value));
  };
  return {
    onnx: g.build(),
    twin: {
      embedding: embed,
      tags: (patch) => product(embed(patch), head, classes).map((value) => 1 / (1 + Math.exp(-value))),
    },
  };
}

function product(row: readonly number[], matrix: Float32Array, columns: number): number[] {
  return Array.from({ length: columns }, (_, column) =>
    row.reduce((sum, value, i) => sum + value * (matrix[i * columns + column] ?? NaN), 0),
  );
}

/** The JSON that Essentia publishes beside a model, with its names. */
export function essentiaJson(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: 'discogs-effnet-bsdynamic',
    type: 'Music style classification and feature extraction',
    link: 'https://essentia.upf.edu/models/feature-extractors/discogs-effnet/discogs-effnet-bsdynamic-1.onnx',
    version: '1',
    description: 'Prediction of 6 music styles.',
    framework: 'tensorflow',
    classes: [
      'Blues---Delta Blues',
      'Electronic---House',
      'Jazz---Bop',
      'Rock---Punk',
      'Pop---Ballad',
      'Folk',
    ],
    dataset: { name: 'Discogs-4M (unreleased)', citation: 'In-house dataset', size: '4M full tracks' },
    schema: {
      inputs: [{ name: 'melspectrogram', type: 'float', shape: [64, 128, 96] }],
      outputs: [
        { name: 'activations', type: 'float', shape: [64, 6], op: 'Sigmoid', output_purpose: 'predictions' },
        { name: 'embeddings', type: 'float', shape: [64, 16], op: 'Flatten', output_purpose: 'embeddings' },
      ],
    },
    inference: { sample_rate: 16_000, algorithm: 'TensorflowPredictEffnetDiscogs' },
    ...changes,
  };
}

/** Writes a network and the JSON beside it. @returns the path of the network */
export function writeNetwork(folder: string, name: string, onnx: Uint8Array, json: unknown): string {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, onnx);
  if (json !== undefined) writeFileSync(join(folder, `${name}.json`), JSON.stringify(json));
  return path;
}
