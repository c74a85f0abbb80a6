function writeAscii(view: DataView, offset: number, text: string): void {
  for (let i = 0; i < text.length; i++) view.setUint8(offset + i, text.charCodeAt(i));
}

/**
 * A mono WAV file in memory.
 * @param mono full scale ±1
 * @param sampleRate Hz
 * @param sampleFormat `pcm16` rounds to the nearest of 65 536 steps and clips; `float32` is exact
 * @throws RangeError beyond the 4 GiB that a WAV header can tell
 */
export function encodeWav(
  mono: Float32Array,
  sampleRate: number,
  sampleFormat: 'pcm16' | 'float32',
): Uint8Array {
  const isFloat = sampleFormat === 'float32';
  const width = isFloat ? 4 : 2;
  // Formats other than PCM carry an extension size and a fact chunk (Microsoft, Multimedia Data Standards Update).
  const formatBytes = isFloat ? 18 : 16;
  const dataStart = 12 + 8 + formatBytes + (isFloat ? 12 : 0) + 8;
  const total = dataStart + mono.length * width;
  if (total > 0xffffffff) throw new RangeError('A WAV file cannot be larger than 4 GiB');
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  writeAscii(view, 0, 'RIFF');
  view.setUint32(4, total - 8, true);
  writeAscii(view, 8, 'WAVEfmt ');
  view.setUint32(16, formatBytes, true);
  view.setUint16(20, isFloat ? 3 : 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * width, true);
  view.setUint16(32, width, true);
  view.setUint16(34, width * 8, true);
  if (isFloat) {
    writeAscii(view, 38, 'fact');
    view.setUint32(42, 4, true);
    view.setUint32(46, mono.length, true);
  }
  writeAscii(view, dataStart - 8, 'data');
  view.setUint32(dataStart - 4, mono.length * width, true);
  mono.forEach((sample, i) => {
    if (isFloat) view.setFloat32(dataStart + i * 4, sample, true);
    else
      view.setInt16(dataStart + i * 2, Math.max(-32768, Math.min(32767, Math.round(sample * 32768))), true);
  });
  return bytes;
}
