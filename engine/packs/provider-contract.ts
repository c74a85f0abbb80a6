import * as z from 'zod';
import { query } from '../wire/contract.ts';

/** What the process made from `provider-child.ts` does. */
export const providerContract = {
  measure: query(
    z.strictObject({
      outputs: z.array(z.custom<Float32Array>((value) => value instanceof Float32Array)),
      windowsPerSecond: z.number(),
    }),
  )(
    z.strictObject({
      packFolder: z.string(),
      // Not from the models: a process that only starts others need not load ONNX Runtime.
      provider: z.enum(['cuda', 'dml', 'coreml', 'webgpu', 'cpu']),
    }),
  ),
};
