import { openFlacPackets } from './flac.ts';
import { openOpusPackets } from './opus.ts';
import type { PacketDecoder } from './packet-decoder.ts';
import { openVorbisPackets } from './vorbis.ts';

/** Codecs of Ogg that are decoded here, by the first packet of their stream. */
export type OggCodec = 'vorbis' | 'opus' | 'flac';

const codecs: readonly { codec: OggCodec; magic: string; open: (head: Uint8Array) => PacketDecoder }[] = [
  { codec: 'vorbis', magic: '\x01vorbis', open: openVorbisPackets },
  { codec: 'opus', magic: 'OpusHead', open: openOpusPackets },
  { codec: 'flac', magic: '\x7fFLAC', open: openFlacPackets },
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
  return codecs.find(({ magic }) => begins(packet, magic))?.codec ?? null;
}

/** Name of a kind of audio that is not decoded here, or null. */
export function foreignOggCodec(packet: Uint8Array): string | null {
  return others.find(([, magic]) => begins(packet, magic))?.[0] ?? null;
}

/** A decoder for the packets that follow `head`; null when it is no audio. */
export function openPackets(head: Uint8Array): PacketDecoder | null {
  return codecs.find(({ magic }) => begins(head, magic))?.open(head) ?? null;
}
