import { AudioError } from '../../models/audio/index.ts';

/** Samples of one decoder or, when it cannot even begin, of another; of two that cannot, the one that is there is heard. */
export async function* orElse(
  first: AsyncGenerator<Float32Array, void>,
  second: () => AsyncGenerator<Float32Array, void>,
  signal: AbortSignal,
): AsyncGenerator<Float32Array, void> {
  let begun: IteratorResult<Float32Array, void>;
  try {
    begun = await first.next();
  } catch (thrown) {
    signal.throwIfAborted();
    try {
      yield* second();
      return;
    } catch (again) {
      const missing = again instanceof AudioError && again.code === 'needs-external-decoder';
      throw missing ? thrown : again;
    }
  }
  if (begun.done === true) return;
  try {
    yield begun.value;
    yield* first;
  } finally {
    await first.return();
  }
}
