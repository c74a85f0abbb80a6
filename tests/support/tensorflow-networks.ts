import { Recorder, type Recorded } from './tensorflow-recorder.ts';

/** MSD-MusiCNN: the layers, sizes of kernels and names of the published one, with fewer channels. */
export function musicnn(
  x: Float32Array,
  shape: readonly number[],
): { r: Recorder; embedding: Recorded; tags: Recorded } {
  const r = new Recorder(5);
  const mel = r.batchNorm(
    r.expand(r.input('model/Placeholder', x, shape), 3, 'model/ExpandDims'),
    'model/bn',
  );
  const wide = r.padRows(mel, 3, 'model/Pad');
  const timbre = [38, 67].map((width) => {
    const name = `model/timbral_${width}`;
    const conv = r.bias(
      r.conv(wide, 7, width, 4, { name: `${name}/Conv2D`, padding: 'VALID' }),
      `${name}/BiasAdd`,
    );
    return r.reduce('Max', r.batchNorm(r.relu(conv, `${name}/Relu`), `${name}/bn`), [2], `${name}/Max`, true);
  });
  const tempo = [128, 64, 32].map((height) => {
    const name = `model/temporal_${height}`;
    const conv = r.bias(r.conv(mel, height, 1, 2, { name: `${name}/Conv2D` }), `${name}/BiasAdd`);
    return r.reduce('Max', r.batchNorm(r.relu(conv, `${name}/Relu`), `${name}/bn`), [2], `${name}/Max`, true);
  });
  const front = r.concat([...timbre, ...tempo], 'model/front');
  const layer = (from: Recorded, name: string): Recorded => {
    const conv = r.conv(r.padRows(from, 3, `${name}/Pad`), 7, 1, 6, {
      name: `${name}/Conv2D`,
      padding: 'VALID',
    });
    return r.batchNorm(r.relu(r.bias(conv, `${name}/BiasAdd`), `${name}/Relu`), `${name}/bn`);
  };
  const one = layer(front, 'model/cnn_1');
  const two = r.binary('AddV2', layer(one, 'model/cnn_2'), one, 'model/add_2');
  const three = r.binary('AddV2', layer(two, 'model/cnn_3'), two, 'model/add_3');
  const all = r.concat([front, one, two, three], 'model/all');
  const pools = (['Max', 'Mean'] as const).map((op) =>
    r.expand(r.reduce(op, all, [1, 2], `model/pool_${op}`, false), -1, `model/last_${op}`),
  );
  const pooled = r.batchNorm(
    r.expand(
      r.expand(r.flatten(r.concat(pools, 'model/pools'), 'model/flatten'), 1, 'model/e1'),
      1,
      'model/e2',
    ),
    'model/bn_pool',
  );
  const embedding = r.dense(r.flatten(pooled, 'model/flat'), 20, 'model/dense');
  const tags = r.sigmoid(r.dense(r.relu(embedding, 'model/dense/Relu'), 5, 'model/dense_1'), 'model/Sigmoid');
  return { r, embedding, tags };
}

/** VGGish: 3 × 3 convolutions and pooling, two layers. */
export function vggish(x: Float32Array, shape: readonly number[]): { r: Recorder; embedding: Recorded } {
  const r = new Recorder(6);
  let value = r.expand(r.input('model/Placeholder', x, shape), 3, 'model/vggish/Reshape');
  for (const [i, channels] of [4, 6, 8].entries()) {
    const name = `model/vggish/conv${i + 1}`;
    const conv = r.bias(r.conv(value, 3, 3, channels, { name: `${name}/Conv2D` }), `${name}/BiasAdd`);
    value = r.maxPool(r.relu(conv, `${name}/Relu`), [2, 2], { name: `model/vggish/pool${i + 1}/MaxPool` });
  }
  const flat = r.flatten(value, 'model/vggish/Flatten/flatten/Reshape');
  const hidden = r.relu(r.dense(flat, 24, 'model/vggish/fc1/fc1_1'), 'model/vggish/fc1/fc1_1/Relu');
  return { r, embedding: r.relu(r.dense(hidden, 12, 'model/vggish/fc2'), 'model/vggish/embeddings') };
}

/** EffNet-Discogs: a stem and an inverted bottleneck with squeeze and excitation, each halving by SAME padding. */
export function effnet(
  x: Float32Array,
  shape: readonly number[],
): { r: Recorder; embedding: Recorded; tags: Recorded } {
  const r = new Recorder(7);
  const swish = (value: Recorded, name: string) =>
    r.binary('Mul', value, r.sigmoid(value, `${name}/Sigmoid`), `${name}/mul`);
  const stem = r.conv(r.expand(r.input('mel', x, shape), 3, 'expand'), 3, 3, 6, {
    name: 'stem',
    stride: [2, 2],
  });
  const first = swish(r.batchNorm(stem, 'stem_bn'), 'stem_swish');
  const wide = swish(r.batchNorm(r.conv(first, 1, 1, 12, { name: 'b1/expand' }), 'b1/expand_bn'), 'b1/swish');
  const deep = r.conv(wide, 5, 5, 12, { name: 'b1/depthwise', stride: [2, 2], depthwise: true });
  const inner = swish(r.batchNorm(deep, 'b1/depthwise_bn'), 'b1/swish_1');
  const squeezed = r.reduce('Mean', inner, [1, 2], 'b1/se/Mean', true);
  const less = swish(
    r.bias(r.conv(squeezed, 1, 1, 3, { name: 'b1/se/reduce' }), 'b1/se/bias'),
    'b1/se/swish',
  );
  const gate = r.sigmoid(
    r.bias(r.conv(less, 1, 1, 12, { name: 'b1/se/expand' }), 'b1/se/bias_1'),
    'b1/se/Sigmoid',
  );
  const excited = r.binary('Mul', inner, gate, 'b1/se/excite');
  const out = r.batchNorm(r.conv(excited, 1, 1, 8, { name: 'b1/project' }), 'b1/project_bn');
  const again = r.binary('AddV2', r.conv(out, 3, 3, 8, { name: 'b2', depthwise: true }), out, 'b2/add');
  const embedding = r.reduce('Mean', again, [1, 2], 'pool', false);
  return { r, embedding, tags: r.sigmoid(r.dense(embedding, 7, 'head'), 'head/Sigmoid') };
}
