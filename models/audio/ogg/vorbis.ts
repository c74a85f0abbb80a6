import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';
import { freeQuietly } from '../free-quietly.ts';
import { nothing, type PacketDecoder } from './packet-decoder.ts';

type OggPages = Parameters<OggVorbisDecoder['decodeOggPages']>[0];

/** The decoder's input buffer; a larger packet would be written beyond it. */
const MAX_PACKET_BYTES = 128 * 1024;

/**
 * A page as the decoder reads it. Only these fields are looked at; the real pages are read by `pages.ts`, which checks
 * them and knows about links and lost pages.
 */
function page(data: Uint8Array, packets: Uint8Array[], setup: Uint8Array | null): OggPages[number] {
  const codecFrames = packets.map((packet) => ({ data: packet, header: { vorbisSetup: setup } }));
  return { data, codecFrames, isLastPage: false } as unknown as OggPages[number];
}

/** Vorbis I §4.2: three headers (identification, comment, setup), then audio. */
export function openVorbisPackets(head: Uint8Array): PacketDecoder {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const decoder = new OggVorbisDecoder();
  let headers = 1;
  let setup: Uint8Array | null = null;
  let started = false;
  return {
    channels: head.length > 11 ? view.getUint8(11) : 0,
    sampleRate: head.length > 15 ? view.getUint32(12, true) : 0,
    preSkip: 0,
    async decode(packets) {
      await decoder.ready;
      const audio: Uint8Array[] = [];
      let damaged = 0;
      for (const packet of packets) {
        if (packet.length > MAX_PACKET_BYTES && packet[0] !== 3) damaged++;
        else if (headers < 3 && ((packet[0] ?? 0) & 1) === 1) {
          headers++;
          if (packet[0] === 5) setup = packet;
        } else if (((packet[0] ?? 1) & 1) === 0) audio.push(packet);
        else damaged++;
      }
      if (audio.length === 0) return { ...nothing, damaged };
      if (setup === null) throw new Error('the setup header is missing');
      // Together: asked for what a page of headers alone holds, the decoder makes an array for each of as many channels as
      // stand in memory that nobody has written yet, tens of thousands of them.
      const pages = started ? [] : [page(head, [], null)];
      started = true;
      const block = await decoder.decodeOggPages([...pages, page(new Uint8Array(1), audio, setup)]);
      return { channelData: block.channelData, damaged: damaged + block.errors.length };
    },
    free: () => freeQuietly(decoder),
  };
}
