import { CheckpointError, type TensorSource } from '../checkpoint/index.ts';
import { encodecEncoderGraph } from '../onnx/graphs/encodec.ts';
import { melFrames, melGraph } from '../onnx/graphs/mel.ts';
import { SAMPLE_RATE } from './sample-rate.ts';

/** What an EnCodecMAE listens through. */
export interface FrontEnd {
  /** In titles. */
  title: string;
  /** In identifiers; null for the usual one. */
  id: string | null;
  /** Frames per second. @throws CheckpointError `shape` */
  frameRate(): number;
  /** Frames of a whole window. @throws CheckpointError `shape` */
  frames(windowSamples: number): number;
  /** `waveform [batch, samples]` → `features [batch, T, F]` */
  graph(frames: number): Promise<Uint8Array>;
}

/** SEANet on the waveform. @param seanet with the tensors `model.{i}…` */
export function waveformFrontEnd(seanet: TensorSource): FrontEnd {
  return {
    title: 'waveform',
    id: null,
    frameRate: () => SAMPLE_RATE / hopOf(seanet),
    frames: (samples) => Math.ceil(samples / hopOf(seanet)),
    graph: () => encodecEncoderGraph(seanet, { prefix: 'model' }),
  };
}

const MEL_HOP = 318;
/** What EnCodecMAE counts as one frame when it masks the end of a clip, whatever its front-end. */
const MASK_HOP = 320;

/** Mel bands computed from the waveform. */
export function melFrontEnd(bands: number): FrontEnd {
  return {
    title: `${bands} mel bands`,
    id: `mel${bands}`,
    frameRate: () => SAMPLE_RATE / MEL_HOP,
    // A few more are made than the model listens to in long windows: it masks them, and so they are left out here.
    frames: (samples) => Math.min(melFrames(samples), Math.floor(samples / MASK_HOP)),
    graph: (frames) => Promise.resolve(melGraph({ frames })),
  };
}

/** Samples per frame: the strides of the convolutions between the first and the last, each half its kernel. */
function hopOf(seanet: TensorSource): number {
  const kernels = seanet
    .names()
    .flatMap((name) => {
      const index = /^model\.(\d+)\.conv\.conv\.weight(?:_v)?$/.exec(name)?.[1];
      return index === undefined ? [] : [{ index: Number(index), kernel: seanet.shape(name)[2] ?? 0 }];
    })
    .sort((a, b) => a.index - b.index);
  const hop = kernels.slice(1, -1).reduce((product, { kernel }) => product * (kernel / 2), 1);
  if (Number.isInteger(hop) && hop > 1) return hop;
  throw new CheckpointError(
    'shape',
    `the EnCodec encoder in the file makes one frame of ${hop} samples`,
    'Use a file of the published model, complete and unchanged.',
  );
}
