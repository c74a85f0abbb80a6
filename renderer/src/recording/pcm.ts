/** Samples that come in pieces, put together. */
export function joined(pieces: readonly Float32Array[], most: number): Float32Array {
  const all = new Float32Array(
    Math.min(
      most,
      pieces.reduce((sum, piece) => sum + piece.length, 0),
    ),
  );
  let at = 0;
  for (const piece of pieces) {
    if (at >= all.length) break;
    const fits = piece.subarray(0, all.length - at);
    all.set(fits, at);
    at += fits.length;
  }
  return all;
}

/** Samples of full scale ±1 as 16 bits each, the lower byte first; what is louder is cut off. */
export function toPcm16(samples: Float32Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((sample, i) =>
    view.setInt16(i * 2, Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))), true),
  );
  return new Uint8Array(view.buffer);
}

/** Many bytes: the browser does it beside the window. */
export function toBase64(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () =>
      resolve(typeof reader.result === 'string' ? reader.result.replace(/^[^,]*,/, '') : '');
    reader.onerror = () => reject(reader.error ?? new Error('The bytes cannot be read.'));
    reader.readAsDataURL(new Blob([bytes]));
  });
}
