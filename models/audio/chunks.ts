import type { PcmChunk } from './types.ts';

/** Short pieces are joined up to this many samples: filters and messages cost per piece. */
const LEAST = 4096;
/** Longer ones are cut: what follows works on several copies of a piece. */
const MOST = 65_536;

function join(pieces: readonly PcmChunk[]): PcmChunk {
  const [first] = pieces;
  if (first === undefined || pieces.length === 1) return first ?? { sampleRate: 0, channelData: [] };
  const length = pieces.reduce((sum, piece) => sum + (piece.channelData[0]?.length ?? 0), 0);
  const channelData = first.channelData.map((_, channel) => {
    const samples = new Float32Array(length);
    let offset = 0;
    for (const piece of pieces) {
      const part = piece.channelData[channel] ?? new Float32Array(0);
      samples.set(part, offset);
      offset += part.length;
    }
    return samples;
  });
  return { sampleRate: first.sampleRate, channelData };
}

/**
 * The same samples in pieces of a handy length; pieces of different rates or channels are never joined. What came before a
 * fault is given out before the fault is.
 */
export async function* evenChunks(chunks: AsyncIterable<PcmChunk>): AsyncGenerator<PcmChunk, void> {
  let held: PcmChunk[] = [];
  let length = 0;
  try {
    for await (const chunk of chunks) {
      const samples = chunk.channelData[0]?.length ?? 0;
      const [first] = held;
      if (
        first !== undefined &&
        (first.sampleRate !== chunk.sampleRate || first.channelData.length !== chunk.channelData.length)
      ) {
        yield join(held);
        held = [];
        length = 0;
      }
      if (samples === 0) continue;
      held.push(chunk);
      length += samples;
      if (length < LEAST) continue;
      const { sampleRate, channelData } = join(held);
      for (let from = 0; from < length; from += MOST)
        yield { sampleRate, channelData: channelData.map((channel) => channel.subarray(from, from + MOST)) };
      held = [];
      length = 0;
    }
  } catch (error) {
    if (length > 0) yield join(held);
    throw error;
  }
  if (length > 0) yield join(held);
}
