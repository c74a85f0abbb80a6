/** One wire for every process and worker: contract, serving side, calling side. The transports are files of their own. */
export { AsyncQueue } from './async-queue.ts';
export { connect } from './connect.ts';
export type { ConnectOptions } from './connect.ts';
export { query, stream, Transfer } from './contract.ts';
export type {
  CallContext,
  CallOptions,
  Client,
  Connection,
  Contract,
  ErrorCoding,
  HandlersOf,
  InputOf,
  MethodOf,
  OutputOf,
  ParsedInputOf,
  Query,
  QueryOf,
  Stream,
  StreamOf,
} from './contract.ts';
export * from './errors.ts';
export type { Port } from './port.ts';
export { parseInput, serve } from './serve.ts';
export type { ServeOptions } from './serve.ts';
