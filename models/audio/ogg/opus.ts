import { OpusDecoder } from 'opus-decoder';
import { freeQuietly } from '../free-quietly.ts';
import { nothing, type PacketDecoder } from './packet-decoder.ts';

/** Opus always decodes to this rate here; the rate in its header is only what the encoder was given. */
const RATE = 48_000;

/** RFC 7845 §5.1: channels, samples to skip, output gain and how streams map to channels. */
function parseHead(head: Uint8Array): {
  channels: number;
  preSkip: number;
  gain: number;
  mapping: { streamCount: number; coupledStreamCount: number; channelMappingTable: number[] } | null;
} {
  if (head.length < 19) throw new Error('the Opus header is cut short');
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const channels = view.getUint8(9);
  const mapping =
    view.getUint8(18) === 0
      ? null
      : {
          streamCount: head[19] ?? 0,
          coupledStreamCount: head[20] ?? 0,
          channelMappingTable: [...head.subarray(21, 21 + channels)],
        };
  return {
    channels,
    preSkip: view.getUint16(10, true),
    gain: 10 ** (view.getInt16(16, true) / 256 / 20),
    mapping,
  };
}

/** Two headers (`OpusHead`, `OpusTags`), then audio. */
export function openOpusPackets(head: Uint8Array): PacketDecoder {
  const { channels, preSkip, gain, mapping } = parseHead(head);
  const decoder = new OpusDecoder({ channels, ...(mapping ?? {}) });
  // 256 kbit/s per channel for the longest packet; a larger one would be written beyond the decoder's input.
  const maxPacketBytes = 3840 * channels;
  let tagsSeen = false;
  return {
    channels,
    sampleRate: RATE,
    preSkip,
    async decode(packets) {
      await decoder.ready;
      const audio: Uint8Array[] = [];
      let damaged = 0;
      for (const packet of packets) {
        if (!tagsSeen && String.fromCharCode(...packet.subarray(0, 8)) === 'OpusTags') tagsSeen = true;
        else if (packet.length === 0 || packet.length > maxPacketBytes) damaged++;
        else audio.push(packet);
      }
      if (audio.length === 0) return { ...nothing, damaged };
      const block = decoder.decodeFrames(audio);
      if (gain !== 1) {
        for (const channel of block.channelData)
          for (let i = 0; i < channel.length; i++) channel[i] = (channel[i] ?? 0) * gain;
      }
      return { channelData: block.channelData, damaged: damaged + block.errors.length };
    },
    free: () => freeQuietly(decoder),
  };
}
