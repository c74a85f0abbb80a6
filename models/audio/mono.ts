/**
 * Mean of the channels. Samples that are not finite become 0: one NaN in a damaged float file would otherwise spread
 * over every filter output and embedding after it.
 * @param channels one array per channel, equal lengths
 */
export function mixToMono(channels: readonly Float32Array[]): {
  mono: Float32Array;
  /** Samples that became 0. */
  notFinite: number;
} {
  const mono = new Float32Array(channels[0]?.length ?? 0);
  const scale = 1 / channels.length;
  for (const channel of channels) {
    for (let i = 0; i < mono.length; i++) mono[i] = (mono[i] ?? 0) + (channel[i] ?? 0) * scale;
  }
  let notFinite = 0;
  for (let i = 0; i < mono.length; i++) {
    if (Number.isFinite(mono[i])) continue;
    mono[i] = 0;
    notFinite++;
  }
  return { mono, notFinite };
}
