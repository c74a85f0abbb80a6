/** The machines that help: the queue that an import may go over, and who works there. */
import * as z from 'zod';
import { query, stream } from '../wire/index.ts';
import { nothing, path } from './shared.ts';

/** What a worker says of itself when it is asked who is there. */
export interface WorkerStatus {
  protocol: number;
  worker: string;
  version: string;
  host: string;
  provider: string;
  processor: string;
  since: string;
  /** Names of the files under way, without their folders. */
  current: string[];
  /** Tracks; those that could not be used, and those that this worker could not do. */
  answered: number;
  fileFailures: number;
  refused: number;
  windows: number;
  windowsPerSecond: number;
  /** Bytes of memory of the process. */
  memory: number;
}

/** What there is to do, and who does it. */
export interface QueueStatus {
  server: string;
  libraries: {
    libraryId: string;
    /** Of this program, or of another version, whose libraries and workers are left alone. */
    protocol: number;
    ours: boolean;
    /** Tracks that nobody took yet. */
    waiting: number;
    /** Tracks that workers have. */
    underWay: number;
    answersToStore: number;
    /** On the server, without audio and packs. */
    bytes: number;
  }[];
  workers: WorkerStatus[];
}

/** The queue that is kept. */
export interface QueueConnection {
  /** Its address, without a name and a password that may stand in it. */
  server: string;
  creds: string | null;
  tlsCa: string | null;
  /** This machine's own certificate and its key, for a server that asks for one. */
  tlsCert: string | null;
  tlsKey: string | null;
  /** What lets one in is kept: a token, or what stands in the address. */
  secret: boolean;
  /** It is kept in the system's keychain; else it is forgotten when the application ends. */
  lasting: boolean;
}

export const queueMethods = {
  /** Null: none is connected. */
  'queue.get': query<QueueConnection | null>()(nothing),
  /** Tries a queue, and keeps it where it lets one in. What is left out stays as it is, for the server it was kept for. */
  'queue.connect': query<QueueConnection>()(
    z.strictObject({
      /** `nats://host:4222` or `tls://host:4222` */
      server: z.string().min(1).max(2000),
      token: z.string().min(1).max(4000).nullish(),
      /** A file of credentials (`.creds`), or of an NKey's seed. */
      creds: path.nullish(),
      /** Certificate that vouches for the server, PEM. */
      tlsCa: path.nullish(),
      /** This machine's own certificate and its key, PEM: both or none. */
      tlsCert: path.nullish(),
      tlsKey: path.nullish(),
    }),
  ),
  /** Forgets it, with what lets one in. */
  'queue.disconnect': query<null>()(nothing),
  /** How it stands, every two seconds. */
  'queue.watch': stream<QueueStatus>({ credit: 2 })(nothing),
};
