import { parseFrameHeader } from './header.ts';

/** What an information frame (Xing, Info or VBRI) says about the frames after it. */
export interface InfoFrame {
  /** Frames of audio; null when it does not say. */
  frames: number | null;
  /** Samples per channel without the encoder's delay and padding; null when it does not say. */
  samples: number | null;
}

function text(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + 4));
}

/**
 * Reads the information frame that many encoders put in front of the music, or null when `frame` is music.
 * @param frame a whole frame, from its header on
 */
export function parseInfoFrame(frame: Uint8Array): InfoFrame | null {
  // Its own bitrate does not matter: free format has information frames as well.
  const header = parseFrameHeader(frame, 0, frame.length);
  if (header?.layer !== 3) return null;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  // After the side information, whose size depends on version and channels; with a checksum two bytes later.
  for (const offset of [13, 15, 21, 23, 36, 38]) {
    const tag = text(frame, offset);
    if (tag !== 'Xing' && tag !== 'Info') continue;
    if (frame.length < offset + 12 || (view.getUint32(offset + 4) & 1) === 0)
      return { frames: null, samples: null };
    const frames = view.getUint32(offset + 8);
    // Encoders fill it in at their end: one that was killed leaves zero.
    if (frames === 0) return { frames: null, samples: null };
    // Two numbers of twelve bits, delay and padding; zero where the encoder wrote no extension.
    const trimmed =
      frame.length < offset + 144
        ? 0
        : (view.getUint8(offset + 141) << 16) | view.getUint16(offset + 142, false);
    const samples = frames * header.samples - (trimmed >> 12) - (trimmed & 0xfff);
    return { frames, samples: Math.max(0, samples) };
  }
  // Fraunhofer's own: always 32 bytes after the header.
  if (text(frame, 36) === 'VBRI' && frame.length >= 36 + 18) {
    const frames = view.getUint32(36 + 14);
    return frames === 0 ? { frames: null, samples: null } : { frames, samples: frames * header.samples };
  }
  return null;
}
