import { FLACDecoder } from '@wasm-audio-decoders/flac';
import { flacScale } from '../flac-scale.ts';
import { freeQuietly } from '../free-quietly.ts';
import { nothing, type PacketDecoder } from './packet-decoder.ts';

/** FLAC to Ogg mapping: 13 bytes, then STREAMINFO (RFC 9639 §10.1). Each packet after the headers is one frame. */
export function openFlacPackets(head: Uint8Array): PacketDecoder {
  if (head.length < 51) throw new Error('the FLAC header is cut short');
  const decoder = new FLACDecoder();
  // 20 bits of rate, 3 of channels less one.
  const rateAndChannels = ((head[27] ?? 0) << 16) | ((head[28] ?? 0) << 8) | (head[29] ?? 0);
  return {
    sampleRate: rateAndChannels >> 4,
    channels: ((rateAndChannels >> 1) & 7) + 1,
    preSkip: 0,
    async decode(packets) {
      await decoder.ready;
      const frames = packets.filter((packet) => packet[0] === 0xff);
      if (frames.length === 0) return nothing;
      const block = await decoder.decodeFrames(frames);
      return { channelData: flacScale(block.channelData, block.bitDepth), damaged: block.errors.length };
    },
    free: () => freeQuietly(decoder),
  };
}
