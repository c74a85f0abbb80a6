import * as z from 'zod';

const file = z.string().min(1).max(4096);

/** Where the queue is and who asks. */
export const queueSettingsSchema = z.strictObject({
  /** `nats://host:4222` or `tls://host:4222`; several with commas between them. */
  server: z.string().min(1).max(2000),
  token: z.string().min(1).max(4000).optional(),
  /** A file of credentials (`.creds`), or of an NKey's seed (`.nk`). */
  creds: file.optional(),
  /** Certificates, PEM: of whoever vouches for the server, and of this machine with its key. */
  tlsCa: file.optional(),
  tlsCert: file.optional(),
  tlsKey: file.optional(),
  /** After how long without a sign of life a task goes to another worker. */
  leaseSeconds: z.number().min(1).max(3600).default(30),
});
export type QueueSettings = z.output<typeof queueSettingsSchema>;
