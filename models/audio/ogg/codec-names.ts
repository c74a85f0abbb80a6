/** Codecs of Ogg that are decoded here, by the first packet of their stream. */
export type OggCodec = 'vorbis' | 'opus' | 'flac';

const codecs: readonly [codec: OggCodec, magic: string][] = [
  ['vorbis', '\x01vorbis'],
  ['opus', 'OpusHead'],
  ['flac', '\x7fFLAC'],
];

/** Codecs that a system ffmpeg decodes. */
const others: readonly [name: string, magic: string][] = [
  ['Speex', 'Speex   '],
  ['CELT', 'CELT    '],
  ['PCM in Ogg', 'PCM     '],
];

function begins(packet: Uint8Array, magic: string): boolean {
  return String.fromCharCode(...packet.subarray(0, magic.length)) === magic;
}

/** What a stream holds, by its first packet; null for video, skeletons and text. */
export function oggCodec(packet: Uint8Array): OggCodec | null {
  return codecs.find(([, magic]) => begins(packet, magic))?.[0] ?? null;
}

/** Name of a kind of audio that is not decoded here, or null. */
export function foreignOggCodec(packet: Uint8Array): string | null {
  return others.find(([, magic]) => begins(packet, magic))?.[0] ?? null;
}
