/**
 * Mean of the channels. Samples that are not finite become 0: one NaN in a damaged float file would otherwise spread
 * over every filter output and embedding after it.
 * @param channels one array per channel, equal lengths
 * @param memory to write into, at least as long; makes the result a part of it
 */
export function mixToMono(
  channels: readonly Float32Array[],
  memory?: Float32Array,
): {
  mono: Float32Array;
  /** Samples that became 0. */
  notFinite: number;
} {
  const length = channels[0]?.length ?? 0;
  const mono = memory?.subarray(0, length) ?? new Float32Array(length);
  const [first, second] = channels;
  if (first !== undefined && channels.length <= 2) addFirst(mono, first, second ?? null);
  else {
    const scale = 1 / channels.length;
    mono.fill(0);
    for (const channel of channels)
      for (let i = 0; i < mono.length; i++) mono[i] = (mono[i] ?? 0) + (channel[i] ?? 0) * scale;
  }
  // Not finite as soon as one sample is not: float32 values cannot overflow a double.
  let sum = 0;
  for (let i = 0; i < mono.length; i++) sum += Math.abs(mono[i] ?? 0);
  return { mono, notFinite: Number.isFinite(sum) ? 0 : silenceNotFinite(mono) };
}

/** One or two channels in one pass, rounded as channel after channel would be. */
function addFirst(mono: Float32Array, first: Float32Array, second: Float32Array | null): void {
  // Zero is added so that −0 becomes 0.
  if (second === null) for (let i = 0; i < mono.length; i++) mono[i] = 0 + (first[i] ?? 0);
  else
    for (let i = 0; i < mono.length; i++)
      mono[i] = Math.fround(0 + (first[i] ?? 0) * 0.5) + (second[i] ?? 0) * 0.5;
}

/** @returns how many samples became 0 */
function silenceNotFinite(mono: Float32Array): number {
  let notFinite = 0;
  for (let i = 0; i < mono.length; i++) {
    if (Number.isFinite(mono[i])) continue;
    mono[i] = 0;
    notFinite++;
  }
  return notFinite;
}
