import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GraphBuilder } from '../../models/onnx/builder.ts';
import { Random } from '../../models/numerics/random.ts';

interface HeadSizes {
  dim: number;
  hidden: number;
  classes: number;
}

/** A made-up head of the topology of Essentia's: a hidden layer with ReLU, then a softmax or sigmoids. */
export function headGraph(
  { dim, hidden, classes }: HeadSizes,
  options: {
    seed?: number;
    batch?: number;
    end?: 'softmax' | 'sigmoid';
    input?: string;
    output?: string;
  } = {},
): { onnx: Uint8Array; weights: { first: Float32Array; bias: Float32Array; second: Float32Array } } {
  const { seed = 7, batch = 'n', end = 'softmax', input = 'model/Placeholder' } = options;
  const { output = end === 'softmax' ? 'model/Softmax' : 'model/Sigmoid' } = options;
  const random = new Random(seed);
  const weights = {
    first: random.normals(dim * hidden).map((value) => value / Math.sqrt(dim)),
    bias: random.normals(hidden).map((value) => 0.1 * value),
    second: random.normals(hidden * classes).map((value) => (3 * value) / Math.sqrt(hidden)),
  };
  const g = new GraphBuilder('head');
  const rows = g.input(input, 'float32', [batch, dim]);
  const inner = g.relu(
    g.add(
      g.matMul(rows, g.weight('first', [dim, hidden], weights.first)),
      g.weight('bias', [hidden], weights.bias),
    ),
  );
  const logits = g.matMul(inner, g.weight('second', [hidden, classes], weights.second));
  g.output(output, end === 'softmax' ? g.softmax(logits, 1) : g.sigmoid(logits), [batch, classes]);
  return { onnx: g.build(), weights };
}

/** What a made-up head says of one embedding, worked out here: for comparison. */
export function headTwin(
  { first, bias, second }: ReturnType<typeof headGraph>['weights'],
  end: 'softmax' | 'sigmoid',
): (row: ArrayLike<number>) => number[] {
  const hidden = bias.length;
  const classes = second.length / hidden;
  return (row) => {
    const inner = Array.from(bias, (b, h) =>
      Math.max(
        0,
        Array.from(row).reduce((sum, value, d) => sum + value * (first[d * hidden + h] ?? NaN), b),
      ),
    );
    const logits = Array.from({ length: classes }, (_, c) =>
      inner.reduce((sum, value, h) => sum + value * (second[h * classes + c] ?? NaN), 0),
    );
    if (end === 'sigmoid') return logits.map((value) => 1 / (1 + Math.exp(-value)));
    const top = Math.max(...logits);
    const shares = logits.map((value) => Math.exp(value - top));
    const sum = shares.reduce((a, b) => a + b, 0);
    return shares.map((value) => value / sum);
  };
}

/** The JSON that Essentia publishes beside a head, with its names. */
export function essentiaHeadJson(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: 'danceability',
    type: 'multi-class classifier',
    link: 'https://essentia.upf.edu/models/classification-heads/danceability/danceability-discogs-effnet-1.pb',
    version: '1',
    description: 'classification of music by danceability',
    framework: 'tensorflow',
    classes: ['danceable', 'not_danceable'],
    dataset: { name: 'In-house MTG collection', size: '306 full tracks' },
    schema: {
      inputs: [{ name: 'model/Placeholder', type: 'float', shape: [16] }],
      outputs: [
        { name: 'model/Softmax', type: 'float', shape: [2], op: 'Softmax', output_purpose: 'predictions' },
        {
          name: 'model/dense_1/BiasAdd',
          type: 'float',
          shape: [2],
          op: 'fully connected',
          output_purpose: 'logits',
        },
      ],
    },
    inference: {
      sample_rate: 16_000,
      algorithm: 'TensorflowPredict2D',
      embedding_model: {
        algorithm: 'TensorflowPredictEffnetDiscogs',
        model_name: 'discogs-effnet-bs64-1',
        link: 'https://essentia.upf.edu/models/music-style-classification/discogs-effnet/discogs-effnet-bs64-1.pb',
      },
    },
    ...changes,
  };
}

/** Writes a head and the JSON beside it. @returns the path of the head */
export function writeHead(
  folder: string,
  name: string,
  onnx: Uint8Array,
  json: unknown = essentiaHeadJson(),
): string {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, onnx);
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(json));
  return path;
}
