/**
 * Reads a 16-bit PCM mono WAV file by the book (RIFF chunks), independently of the product's own reader.
 * @throws Error naming what is not as expected
 */
export function readWav(bytes: Uint8Array): { samples: Float32Array; sampleRate: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') throw new Error('no RIFF/WAVE file');
  if (view.getUint32(4, true) !== bytes.length - 8) throw new Error('RIFF size is wrong');
  let sampleRate = 0;
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (tag(at) === 'fmt ') {
      if (view.getUint16(body, true) !== 1) throw new Error('not PCM');
      if (view.getUint16(body + 2, true) !== 1) throw new Error('not mono');
      if (view.getUint16(body + 14, true) !== 16) throw new Error('not 16 bits');
      sampleRate = view.getUint32(body + 4, true);
    }
    if (tag(at) === 'data') {
      const samples = Float32Array.from(
        { length: size / 2 },
        (_, i) => view.getInt16(body + 2 * i, true) / 32768,
      );
      return { samples, sampleRate };
    }
    at = body + size + (size % 2);
  }
  throw new Error('no data chunk');
}
