/** ADPCM in WAV files: IMA/DVI (tag 0x11) and Microsoft (tag 0x02). */

/** A codec whose samples come in blocks that each stand alone. */
export interface BlockCodec {
  channels: number;
  /** Bytes of a block. */
  blockBytes: number;
  /** Samples per channel of a block of `bytes`; a last block may be shorter. */
  samplesIn(bytes: number): number;
  /** @returns one array per channel, in [−1, 1) */
  decode(block: Uint8Array): Float32Array[];
}

/** A codec that writes the samples of one channel of a block into `out`, which is never empty. */
function blockCodec(
  shape: Pick<BlockCodec, 'channels' | 'blockBytes' | 'samplesIn'>,
  decodeChannel: (view: DataView, channel: number, out: Float32Array) => void,
): BlockCodec {
  return {
    ...shape,
    decode(block) {
      const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
      const samples = shape.samplesIn(block.length);
      return Array.from({ length: shape.channels }, (_, channel) => {
        const out = new Float32Array(samples);
        if (samples > 0) decodeChannel(view, channel, out);
        return out;
      });
    },
  };
}

const imaIndex = [-1, -1, -1, -1, 2, 4, 6, 8];
/** Step sizes of IMA ADPCM (IMA Digital Audio Focus, 1992). */
const imaSteps = [
  7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97,
  107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724,
  796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026,
  4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500,
  20350, 22385, 24623, 27086, 29794, 32767,
];

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

const toFloat = (sample: number): number => sample / 32768;

/** Per channel a header (first sample, step index, reserved), then nibbles in groups of eight per channel. */
export function imaAdpcm(channels: number, blockBytes: number): BlockCodec {
  const samplesIn = (bytes: number): number =>
    bytes < 4 * channels ? 0 : 1 + Math.floor((bytes - 4 * channels) / (4 * channels)) * 8;
  return blockCodec({ channels, blockBytes, samplesIn }, (view, channel, out) => {
    let value = view.getInt16(4 * channel, true);
    let index = clamp(view.getUint8(4 * channel + 2), 0, 88);
    out[0] = toFloat(value);
    for (let i = 1; i < out.length; i++) {
      const group = Math.floor((i - 1) / 8);
      const within = (i - 1) % 8;
      const byte = view.getUint8(4 * channels * (1 + group) + 4 * channel + (within >> 1));
      const nibble = (within & 1) === 0 ? byte & 15 : byte >> 4;
      const step = imaSteps[index] ?? 0;
      let change = step >> 3;
      if ((nibble & 4) !== 0) change += step;
      if ((nibble & 2) !== 0) change += step >> 1;
      if ((nibble & 1) !== 0) change += step >> 2;
      value = clamp((nibble & 8) !== 0 ? value - change : value + change, -32768, 32767);
      index = clamp(index + (imaIndex[nibble & 7] ?? 0), 0, 88);
      out[i] = toFloat(value);
    }
  });
}

const msAdapt = [230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230];
/** Predictors that every file carries (Microsoft, New Multimedia Data Types and Data Techniques, 1994). */
export const MS_COEFFICIENTS: readonly (readonly [number, number])[] = [
  [256, 0],
  [512, -256],
  [0, 0],
  [192, 64],
  [240, 0],
  [460, -208],
  [392, -232],
];

/** Per channel predictor, step and two samples, then nibbles that change channel from one to the next. */
export function msAdpcm(
  channels: number,
  blockBytes: number,
  coefficients: readonly (readonly [number, number])[] = MS_COEFFICIENTS,
): BlockCodec {
  const headBytes = 7 * channels;
  const samplesIn = (bytes: number): number =>
    bytes < headBytes ? 0 : 2 + Math.floor(((bytes - headBytes) * 2) / channels);
  return blockCodec({ channels, blockBytes, samplesIn }, (view, channel, out) => {
    const [first, second] = coefficients[view.getUint8(channel)] ?? [256, 0];
    let step = view.getInt16(channels + 2 * channel, true);
    let last = view.getInt16(3 * channels + 2 * channel, true);
    let before = view.getInt16(5 * channels + 2 * channel, true);
    out[0] = toFloat(before);
    out[1] = toFloat(last);
    for (let i = 2; i < out.length; i++) {
      const at = (i - 2) * channels + channel;
      const byte = view.getUint8(headBytes + (at >> 1));
      const nibble = (at & 1) === 0 ? byte >> 4 : byte & 15;
      const predicted = (last * first + before * second) >> 8;
      const value = clamp(predicted + (nibble >= 8 ? nibble - 16 : nibble) * step, -32768, 32767);
      before = last;
      last = value;
      step = Math.max(16, ((msAdapt[nibble] ?? 0) * step) >> 8);
      out[i] = toFloat(value);
    }
  });
}
