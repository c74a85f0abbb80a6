/** What the engine asks of the decoder page, over the port that main gave both. */
import * as z from 'zod';
import { audioLimits } from '../engine/decode/limits.ts';
import { stream } from '../engine/wire/contract.ts';

const pieceSchema = z.strictObject({
  /** A file may change its rate on the way. */
  sampleRate: z.number().min(audioLimits.sampleRate.min).max(audioLimits.sampleRate.max),
  /** One array per channel. */
  planes: z.array(z.instanceof(Float32Array)).min(1).max(audioLimits.channels),
});

export const decoderContract = {
  /** Decodes the audio behind a media token. */
  decode: stream({ output: pieceSchema, credit: 8 })(z.strictObject({ token: z.string() })),
};
