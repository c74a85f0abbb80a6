import type { Command } from 'commander';
import * as z from 'zod';
import { EngineError } from '../engine/api/errors.ts';
import { queueSettingsSchema, type QueueSettings } from '../engine/queue/settings.ts';
import { number } from './options.ts';

/** Where the queue is and how one gets in, as verbs are told. */
export interface QueueOptions {
  queue?: string;
  creds?: string;
  tlsCa?: string;
  tlsCert?: string;
  tlsKey?: string;
  lease?: number;
}

/** Adds the options that say how one gets in. A token is not among them: other users of a machine see what programs were told. */
export function addQueueOptions(command: Command): Command {
  return command
    .option('--creds <file>', 'credentials for the queue: a .creds file, or the seed of an NKey')
    .option('--tls-ca <file>', 'certificate that vouches for the server of the queue (PEM)')
    .option('--tls-cert <file>', "this machine's own certificate, where the server asks for one")
    .option('--tls-key <file>', 'its key');
}

export const lease = number(1, 3600);

/** @throws EngineError `bad-input` */
export function queueSettings(server: string, options: QueueOptions): QueueSettings {
  const token = process.env['ARCHETONE_QUEUE_TOKEN'];
  const { creds, tlsCa, tlsCert, tlsKey, lease: leaseSeconds } = options;
  const told = { server, token, creds, tlsCa, tlsCert, tlsKey, leaseSeconds };
  const parsed = queueSettingsSchema.safeParse(
    Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined && value !== '')),
  );
  if (parsed.success) return parsed.data;
  throw new EngineError('bad-input', 'The queue cannot be reached like that.', z.prettifyError(parsed.error));
}
