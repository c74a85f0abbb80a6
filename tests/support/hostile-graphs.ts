import { GraphBuilder } from '../../models/onnx/builder.ts';
import { encodeModel, parseModel, type AttributeMessage, type NodeMessage } from '../../models/onnx/proto.ts';
import { TINY } from './tiny-pack.ts';

const GRAPH_ATTRIBUTE = 5;
const FLOAT = 1;
const INT64 = 7;
const BOOL = 9;

/** A features graph for the tiny pack that keeps its promise of names and shapes; `change` puts a node before it. */
function featuresBehind(
  node: NodeMessage,
  constants: { name: string; type: number; data: Uint8Array; dims: number[] }[],
): Uint8Array {
  const g = new GraphBuilder('hostile');
  const waveform = g.input('waveform', 'float32', ['batch', TINY.S]);
  const cut = g.slice(waveform, 0, TINY.T * TINY.F, 1);
  g.output('features', g.reshape(cut, [-1, TINY.T, TINY.F]), ['batch', TINY.T, TINY.F]);
  const model = parseModel(g.build());
  const [output = ''] = node.output;
  for (const other of model.graph.node)
    other.input = other.input.map((name) => (name === 'waveform' ? output : name));
  model.graph.node.unshift(node);
  model.graph.initializer.push(
    ...constants.map(({ name, type, data, dims }) => ({ name, dataType: type, rawData: data, dims })),
  );
  return encodeModel(model);
}

/** Adds nothing to the sound, 2^62 times. */
export function endlessLoop(): Uint8Array {
  const value = (name: string, elemType: number, dims: { dimValue?: number; dimParam?: string }[]) => ({
    name,
    type: { tensorType: { elemType, shape: { dim: dims } } },
  });
  const sound = [{ dimParam: 'batch' }, { dimValue: TINY.S }];
  const body = {
    name: 'body',
    node: [
      { opType: 'Identity', name: 'on', input: ['more'], output: ['again'], attribute: [] },
      { opType: 'Add', name: 'same', input: ['x', 'nothing'], output: ['y'], attribute: [] },
    ],
    initializer: [],
    input: [value('i', INT64, []), value('more', BOOL, []), value('x', FLOAT, sound)],
    output: [value('again', BOOL, []), value('y', FLOAT, sound)],
  };
  const graph = { name: 'body', type: GRAPH_ATTRIBUTE, g: body } as AttributeMessage;
  return featuresBehind(
    {
      opType: 'Loop',
      name: 'loop',
      input: ['rounds', 'yes', 'waveform'],
      output: ['looped'],
      attribute: [graph],
    },
    [
      { name: 'rounds', type: INT64, data: new Uint8Array(BigInt64Array.of(2n ** 62n).buffer), dims: [] },
      { name: 'yes', type: BOOL, data: Uint8Array.of(1), dims: [] },
      { name: 'nothing', type: FLOAT, data: new Uint8Array(Float32Array.of(0).buffer), dims: [] },
    ],
  );
}

/** Makes a tensor of `gib` GiB of zeros and adds its sum to the sound. Prepared, so that it is made when the graph is read. */
export function hugeConstant(gib: number): Uint8Array {
  const count = BigInt(gib) * 2n ** 28n;
  const model = parseModel(
    featuresBehind(
      { opType: 'Add', name: 'more', input: ['waveform', 'sum'], output: ['louder'], attribute: [] },
      [{ name: 'shape', type: INT64, data: new Uint8Array(BigInt64Array.of(count).buffer), dims: [1] }],
    ),
  );
  model.graph.node.unshift(
    { opType: 'ConstantOfShape', name: 'huge', input: ['shape'], output: ['zeros'], attribute: [] },
    {
      opType: 'ReduceSum',
      name: 'sum',
      input: ['zeros'],
      output: ['sum'],
      attribute: [{ name: 'keepdims', type: 2, i: 0 }],
    },
  );
  return encodeModel(model);
}
