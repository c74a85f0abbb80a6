/** Frees a decoder that may have failed in the middle: then its memory goes with its worker. */
export function freeQuietly(decoder: { free(): void }): void {
  try {
    decoder.free();
  } catch {
    // See above.
  }
}
