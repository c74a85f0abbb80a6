const MIB = 2 ** 20;

/**
 * What a file of audio may be, for every format and for everything that reads one. Who decodes how long, and with how much
 * memory, is the caller's to say.
 */
export const audioLimits = {
  /** Hz. Rates outside are taken for damage. */
  sampleRate: { min: 1000, max: 768_000 },
  channels: 64,
  /** Recordings in a row in one file (chained Ogg, joined mp3 and FLAC); later ones are not read. */
  parts: 2000,
  /** Files of more bytes than this in one piece that is neither audio nor tags, or of zeros, end there. */
  gapBytes: 64 * MIB,
  /** What calls itself a longer tag is none; larger pictures are not music either. */
  tagBytes: 64 * MIB,
  /** Tags that count themselves wrongly are looked through up to this size: they lie in memory meanwhile. */
  searchedTagBytes: 32 * MIB,
  /** Tags in a row are a mistake of tagging programs; more than a few is not a music file. */
  tagsInARow: 16,
} as const;

/** Whether audio can be so. */
export function isPossible({ sampleRate, channels }: { sampleRate: number; channels: number }): boolean {
  return isPossibleRate(sampleRate) && channels >= 1 && channels <= audioLimits.channels;
}

/** Whether audio can have so many samples a second (Hz). */
export function isPossibleRate(sampleRate: number): boolean {
  const { min, max } = audioLimits.sampleRate;
  return sampleRate >= min && sampleRate <= max;
}
