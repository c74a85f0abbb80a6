import { FLACDecoder } from '@wasm-audio-decoders/flac';
import { freeQuietly } from './free-quietly.ts';

/** What of the inside of a decoder (@wasm-audio-decoders/flac 0.2.11) makes it new again. */
interface Inside {
  _common: object;
  /** Of the samples of the frame that was decoded last; the decoder frees them after each frame, whether there are any or not. */
  _outputBufferPtr: { buf: Uint32Array };
  _decode: (frame: Uint8Array) => object;
  /** Makes the object that instantiates the module, with a fresh memory. */
  _WASMAudioDecoderCommon: new () => object;
  _init: () => Promise<void>;
  free: () => void;
  reset: () => Promise<void>;
}

/** The decoder that was given back last, with its memory. */
let idle: FLACDecoder | null = null;

/**
 * A decoder of FLAC at the beginning of a stream. One that was given back is used again: each has a memory of 16 MB in
 * WebAssembly, every few of which make V8 collect its whole heap. That was a fifth of the import of 207 short files.
 */
export async function takeFlacDecoder(): Promise<FLACDecoder> {
  const kept = idle;
  idle = null;
  if (kept) return kept;
  const decoder = new FLACDecoder();
  await decoder.ready;
  keepMemory(decoder);
  return decoder;
}

/** @param wellEnded whether all of a stream was decoded without damage, and flushed: that makes the decoder new again */
export function giveFlacDecoder(decoder: FLACDecoder, wellEnded: boolean): void {
  if (wellEnded && idle === null) idle = decoder;
  else freeQuietly(decoder);
}

/** Has the decoder that is made at each reset live in the memory of the one before. */
function keepMemory(decoder: FLACDecoder): void {
  const inside: unknown = Object.getOwnPropertyDescriptor(decoder, '_decoder')?.value;
  // Of another version: then each reset takes a memory of its own, as it comes.
  if (!isInside(inside)) return;
  const Common = inside._WASMAudioDecoderCommon;
  const decode = inside._decode;
  const forget = (): void => void inside._outputBufferPtr.buf.fill(0);
  // A frame without samples after one with some would have these freed twice, and spoil the memory for what comes after.
  inside._decode = (frame) => {
    const decoded = decode(frame);
    forget();
    return decoded;
  };
  inside.reset = async () => {
    const common = inside._common;
    inside.free();
    class Same {
      instantiate = (): Promise<object> => Promise.resolve(common);
    }
    inside._WASMAudioDecoderCommon = Same;
    try {
      await inside._init();
      // A fresh memory is zero, and this one holds whatever lay there.
      forget();
    } finally {
      inside._WASMAudioDecoderCommon = Common;
    }
  };
}

function isInside(value: unknown): value is Inside {
  if (typeof value !== 'object' || value === null) return false;
  const names = [
    '_common',
    '_outputBufferPtr',
    '_decode',
    '_WASMAudioDecoderCommon',
    '_init',
    'free',
    'reset',
  ];
  return names.every((name) => Object.hasOwn(value, name));
}
