import type { PcmChunk } from '../types.ts';

/** Decodes the packets of one stream of an Ogg file, in order. */
export interface PacketDecoder {
  /** Hz. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples at the beginning that only warm the decoder up. */
  readonly preSkip: number;
  /**
   * @returns samples in order; none for headers
   * @throws Error when the headers are damaged
   */
  decode(packets: Uint8Array[]): Promise<Omit<PcmChunk, 'sampleRate'> & { damaged: number }>;
  /** Frees the memory of the decoder. */
  free(): void;
}

/** What is decoded from no packet. */
export const nothing = { channelData: [], damaged: 0 };
