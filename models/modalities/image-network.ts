import { createHash } from 'node:crypto';
import { CheckpointError } from '../checkpoint/errors.ts';
import { FileReadError, readBounded } from '../files/read.ts';
import { readForeignModel, type ForeignTensor } from '../onnx/foreign.ts';
import { lateRuntime } from '../onnx/late-runtime.ts';
import type { InferenceSession, Tensor } from '../onnx/runtime.ts';
import { readImageCard, type ImageCard } from './image-card.ts';
import { imageInput } from './image-input.ts';
import type { Pixels } from './picture.ts';

const MOST_BYTES = 600_000_000;
/** Numbers that describe a picture: fewer than two say nothing, more would be the picture itself. */
const [FEWEST_DIMS, MOST_DIMS] = [2, 16_384];
/** Numbers of an answer, before they are averaged. */
const MOST_NUMBERS = 20_000_000;
const CHOOSE = 'Choose another output in its JSON, or another network.';

/** What describes pictures by an ONNX network that somebody brought. */
export interface ImageNetwork {
  readonly card: ImageCard;
  readonly sha256: string;
  /** Numbers per picture. */
  readonly dim: number;
  /** `[dim]` @throws CheckpointError where the network fails, or answers with another length or numbers that are not finite */
  describe(pixels: Pixels): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Opens an image network with the JSON beside it, and looks at two pictures with it: what fails, gives other shapes than it says,
 * numbers that are not finite, or the same whatever it is shown, is refused.
 *
 * An answer `[1, D]` is taken as it is; of `[1, n, D]` (tokens) and of a map of places (`[1, D, h, w]`, or `[1, h, w, D]` where the layout is
 * `nhwc`) the mean is taken.
 * @throws CheckpointError
 */
export async function openImageNetwork(path: string): Promise<ImageNetwork> {
  const card = await readImageCard(path);
  const bytes = await readBounded(path, MOST_BYTES).catch((thrown: unknown) => {
    throw thrown instanceof FileReadError ? notRead(path, thrown) : thrown;
  });
  const { inputs, outputs } = readForeignModel(bytes);
  checkInput(card, inputs);
  if (!outputs.some(({ name, isFloat }) => name === card.output && isFloat))
    throw new CheckpointError(
      'bad-config',
      `the network has no float32 output “${card.output}”; it has ${names(outputs)}`,
      'Name the output in its JSON.',
    );
  const { InferenceSession: Session, Tensor: OrtTensor } = await lateRuntime();
  const session = await Session.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 }).catch(
    (cause: unknown) => {
      throw new CheckpointError(
        'unsupported',
        `ONNX Runtime does not open the network: ${reasonOf(cause)}`,
        'Export it again from its framework, as one ONNX file of standard operators.',
        { cause },
      );
    },
  );
  const describe = async (pixels: Pixels): Promise<Float32Array> => {
    const input = new OrtTensor('float32', imageInput(pixels, card), inputShape(card));
    return vectorOf(await run(session, card, input), card);
  };
  try {
    const first = await describe(testPicture(1));
    const asLong = async (pixels: Pixels): Promise<Float32Array> => {
      const vector = await describe(pixels);
      if (vector.length === first.length) return vector;
      throw refused('its answers differ in length from picture to picture');
    };
    const second = await asLong(testPicture(2));
    if (first.every((value, i) => value === second[i]))
      throw refused('it answers the same whatever picture it is shown');
    return {
      ...{ card, dim: first.length, sha256: createHash('sha256').update(bytes).digest('hex') },
      describe: asLong,
      close: () => session.release(),
    };
  } catch (thrown) {
    await session.release();
    throw thrown;
  }
}

function notRead(path: string, { problem, bytes, message, cause }: FileReadError): CheckpointError {
  if (problem === 'too-large')
    return new CheckpointError(
      'unsupported',
      `${path} has ${bytes ?? 'too many'} bytes; image networks of up to ${MOST_BYTES} are opened`,
      'Choose a smaller one.',
    );
  const why = problem === 'unreadable' ? `${path} cannot be read: ${message}` : `there is no file ${path}`;
  return new CheckpointError('io', why, 'Choose the .onnx file itself.', { cause });
}

const inputShape = ({ layout, width, height }: ImageCard): number[] =>
  layout === 'nchw' ? [1, 3, height, width] : [1, height, width, 3];

function checkInput(card: ImageCard, inputs: readonly ForeignTensor[]): void {
  const [input] = inputs;
  if (inputs.length !== 1 || input?.name !== card.input || !input.isFloat)
    throw new CheckpointError(
      'bad-config',
      `the network takes ${names(inputs)}, not the one float32 input “${card.input}” alone`,
      'Name its input in its JSON; a network that takes more than a picture cannot be used.',
    );
  const wanted = inputShape(card);
  const fits =
    input.dims === null ||
    (input.dims.length === 4 && input.dims.every((size, i) => size === null || size === wanted[i]));
  if (!fits)
    throw new CheckpointError(
      'bad-config',
      `the network takes [${(input.dims ?? []).map((size) => size ?? '?').join(', ')}], its JSON says [${wanted.join(', ')}]`,
      'Correct width, height and layout in its JSON.',
    );
}

async function run(session: InferenceSession, card: ImageCard, input: Tensor): Promise<Tensor> {
  let answer: Tensor | undefined;
  try {
    answer = (await session.run({ [card.input]: input }, [card.output]))[card.output];
  } catch (cause) {
    throw new CheckpointError('unsupported', `the network fails: ${reasonOf(cause)}`, CHOOSE, { cause });
  }
  if (!answer) throw refused(`it gives no “${card.output}”`);
  return answer;
}

/** The numbers that describe a picture, of an answer of two to four dimensions. */
function vectorOf({ data, dims }: Tensor, { layout, output }: ImageCard): Float32Array {
  const [batch, ...rest] = dims;
  if (!(data instanceof Float32Array) || batch !== 1 || rest.length < 1 || rest.length > 3)
    throw refused(`“${output}” is [${dims.join(', ')}], which is no vector, tokens or map of one picture`);
  const first = rest.length === 3 && layout === 'nchw';
  const dim = (first ? rest[0] : rest.at(-1)) ?? 0;
  const places = dim === 0 ? 0 : data.length / dim;
  if (dim < FEWEST_DIMS || dim > MOST_DIMS || places < 1 || data.length > MOST_NUMBERS)
    throw refused(
      `“${output}” is [${dims.join(', ')}]: ${FEWEST_DIMS} to ${MOST_DIMS} numbers can describe a picture`,
    );
  const vector = new Float32Array(dim);
  for (let d = 0; d < dim; d++) {
    let sum = 0;
    for (let place = 0; place < places; place++)
      sum += (first ? data[d * places + place] : data[place * dim + d]) ?? 0;
    vector[d] = sum / places;
  }
  if (!vector.every(Number.isFinite)) throw refused(`“${output}” holds numbers that are not finite`);
  return vector;
}

/** Noise, the same each time; another one for another seed. */
function testPicture(seed: number): Pixels {
  const [width, height] = [64, 48];
  let state = seed;
  const rgb = Uint8Array.from({ length: 3 * width * height }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  return { width, height, rgb };
}

const names = (tensors: readonly ForeignTensor[]): string =>
  tensors.map(({ name }) => `“${name}”`).join(', ') || 'nothing';

const reasonOf = (thrown: unknown): string =>
  (thrown instanceof Error ? thrown.message : String(thrown)).slice(0, 300);

const refused = (what: string): CheckpointError =>
  new CheckpointError('unsupported', `the network cannot be used: ${what}`, CHOOSE);
