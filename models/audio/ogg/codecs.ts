import { oggCodec, type OggCodec } from './codec-names.ts';
import { openFlacPackets } from './flac.ts';
import { openOpusPackets } from './opus.ts';
import type { PacketDecoder } from './packet-decoder.ts';
import { openVorbisPackets } from './vorbis.ts';

const openers: Readonly<Record<OggCodec, (head: Uint8Array) => PacketDecoder>> = {
  vorbis: openVorbisPackets,
  opus: openOpusPackets,
  flac: openFlacPackets,
};

/** A decoder for the packets that follow `head`; null when it is no audio. */
export function openPackets(head: Uint8Array): PacketDecoder | null {
  const codec = oggCodec(head);
  return codec === null ? null : openers[codec](head);
}
