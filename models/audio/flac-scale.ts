/**
 * The FLAC decoder divides by the largest integer (2^(bits−1) − 1); every other decoder, here and elsewhere, by
 * 2^(bits−1). For 8 bits that is nearly a percent.
 */
export function flacScale(channelData: Float32Array[], bits: number): Float32Array[] {
  const full = 2 ** (bits - 1);
  const scale = (full - 1) / full;
  for (const samples of channelData)
    for (let i = 0; i < samples.length; i++) samples[i] = (samples[i] ?? 0) * scale;
  return channelData;
}
