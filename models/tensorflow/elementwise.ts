import type { Value } from '../onnx/builder.ts';
import type { Dimension } from '../onnx/proto.ts';
import { held, sizesOf, type Call, type Held } from './held.ts';

/** How an operator is converted: what it gives, one for each output. */
export type Convert = (call: Call) => Held | readonly Held[];
export type Operators = Readonly<Record<string, Convert>>;

const unary =
  (make: (call: Call, x: Value) => Value): Convert =>
  (call) =>
    held(make(call, call.value(0)));
const binary =
  (make: (call: Call, a: Value, b: Value) => Value, ofSizes?: (a: number, b: number) => number): Convert =>
  (call) => {
    const sizes = ofSizes && calculated(call, ofSizes);
    return sizes ?? held(make(call, call.value(0), call.value(1)));
  };

/** Calculation with sizes, as far as they are known; null where its inputs are none. */
function calculated(call: Call, make: (a: number, b: number) => number): Held | null {
  const [a, b] = [sizesIn(call, 0), sizesIn(call, 1)];
  if (a === null || b === null) return null;
  const length = Math.max(a.length, b.length);
  const sizes = Array.from({ length }, (_, i): Dimension => {
    const [x = 1, y = 1] = [a[a.length === 1 ? 0 : i], b[b.length === 1 ? 0 : i]];
    if (typeof x === 'number' && typeof y === 'number') return make(x, y);
    // A name of its own: where it ends up as one size of several, that one is what is left over.
    return `(${x}, ${y})`;
  });
  return sizesOf(
    sizes,
    [0, 1].every((i) => isScalar(call.input(i))),
  );
}

function sizesIn(call: Call, i: number): readonly Dimension[] | null {
  const input = call.input(i);
  if (input.kind === 'sizes') return input.sizes;
  return input.kind === 'tensor' && !input.tensor.isFloat ? Array.from(input.tensor.data) : null;
}

const isScalar = (input: Held): boolean =>
  input.kind === 'sizes' ? input.scalar : input.kind === 'tensor' && input.tensor.shape.length === 0;

const passed: Convert = (call) => call.input(0);

/** Operators that work number by number. */
export const elementwise: Operators = {
  Identity: passed,
  StopGradient: passed,
  PreventGradient: passed,
  CheckNumerics: passed,
  EnsureShape: passed,
  PlaceholderWithDefault: passed,
  IdentityN: (call) => call.inputs,
  Add: binary(
    ({ g }, a, b) => g.add(a, b),
    (a, b) => a + b,
  ),
  AddV2: binary(
    ({ g }, a, b) => g.add(a, b),
    (a, b) => a + b,
  ),
  AddN: (call) =>
    held(
      call.inputs.slice(1).reduce<Value>((sum, _, i) => call.g.add(sum, call.value(i + 1)), call.value(0)),
    ),
  BiasAdd: (call) => held(biasAdded(call, call.value(0), 1)),
  Sub: binary(
    ({ g }, a, b) => g.sub(a, b),
    (a, b) => a - b,
  ),
  Mul: binary(
    ({ g }, a, b) => g.mul(a, b),
    (a, b) => a * b,
  ),
  RealDiv: binary(({ g }, a, b) => g.div(a, b)),
  Div: binary(({ g }, a, b) => g.div(a, b)),
  FloorDiv: binary(
    ({ g }, a, b) => g.op('Floor', [g.div(a, b)]),
    (a, b) => Math.floor(a / b),
  ),
  DivNoNan: binary(({ g }, a, b) => {
    const none = g.equal(b, g.scalar(0));
    return g.where(none, 0, g.div(a, g.where(none, 1, b)));
  }),
  Maximum: binary(({ g }, a, b) => g.max(a, b), Math.max),
  Minimum: binary(({ g }, a, b) => g.op('Min', [a, b]), Math.min),
  Pow: binary(({ g }, a, b) => g.op('Pow', [a, b])),
  SquaredDifference: binary(({ g }, a, b) => {
    const away = g.sub(a, b);
    return g.mul(away, away);
  }),
  Abs: unary(({ g }, x) => g.abs(x)),
  Neg: unary(({ g }, x) => g.neg(x)),
  Exp: unary(({ g }, x) => g.exp(x)),
  Log: unary(({ g }, x) => g.log(x)),
  Log1p: unary(({ g }, x) => g.log(g.add(x, 1))),
  Sqrt: unary(({ g }, x) => g.sqrt(x)),
  Rsqrt: unary(({ g }, x) => g.div(1, g.sqrt(x))),
  Square: unary(({ g }, x) => g.mul(x, x)),
  Reciprocal: unary(({ g }, x) => g.div(1, x)),
  Erf: unary(({ g }, x) => g.op('Erf', [x])),
  Tanh: unary(({ g }, x) => g.op('Tanh', [x])),
  Sin: unary(({ g }, x) => g.op('Sin', [x])),
  Cos: unary(({ g }, x) => g.op('Cos', [x])),
  Relu: unary(({ g }, x) => g.relu(x)),
  Relu6: unary(({ g }, x) => g.op('Clip', [x, g.scalar(0), g.scalar(6)])),
  Elu: unary(({ g }, x) => g.op('Elu', [x])),
  LeakyRelu: unary((call, x) => leaky(call, x)),
  Selu: unary(({ g }, x) => g.call('Selu', [x], {}, { types: ['float32'], shapes: [x.shape] })[0]),
  Sigmoid: unary(({ g }, x) => g.sigmoid(x)),
  Softplus: unary(({ g }, x) => g.op('Softplus', [x])),
  Softmax: unary(({ g }, x) => g.softmax(x, -1)),
  LogSoftmax: unary(({ g }, x) => g.logSoftmax(x, -1)),
  Cast: (call) => {
    const given = call.input(0);
    if (given.kind === 'value') return given;
    const isFloat = ['DT_FLOAT', 'DT_DOUBLE', 'DT_HALF'].includes(call.attribute('DstT').type ?? '');
    if (!isFloat && given.kind === 'sizes') return given;
    const { shape, data } = call.tensor(0);
    return {
      kind: 'tensor',
      tensor: { shape, isFloat, data: isFloat ? data : Float64Array.from(data, Math.trunc) },
    };
  },
};

function leaky(call: Call, x: Value): Value {
  const alpha = call.attribute('alpha').float ?? 0.2;
  return call.g.call(
    'LeakyRelu',
    [x],
    { alpha: { float: alpha } },
    { types: ['float32'], shapes: [x.shape] },
  )[0];
}

/** Adds one number for each channel. @param i input with the numbers */
export function biasAdded(call: Call, x: Value, i: number): Value {
  const bias = call.value(i);
  const rank = call.shape(x).length;
  if (call.attribute('data_format').text !== 'NCHW' || rank < 3) return call.g.add(x, bias);
  return call.g.add(x, call.g.reshape(bias, [-1, ...Array.from({ length: rank - 2 }, () => 1)]));
}

/** What is applied behind a layer in one operator with it, by its name in `fused_ops`. */
export const activations: Readonly<Record<string, (call: Call, x: Value) => Value>> = {
  Relu: ({ g }, x) => g.relu(x),
  Relu6: ({ g }, x) => g.op('Clip', [x, g.scalar(0), g.scalar(6)]),
  Elu: ({ g }, x) => g.op('Elu', [x]),
  Sigmoid: ({ g }, x) => g.sigmoid(x),
  Tanh: ({ g }, x) => g.op('Tanh', [x]),
  LeakyRelu: leaky,
  Prelu: (call, x) => {
    // max(x, 0) + alpha · min(x, 0), with alpha behind the bias.
    const { g } = call;
    const alpha = call.value(3);
    return g.add(g.relu(x), g.mul(alpha, g.op('Min', [x, g.scalar(0)])));
  },
};
