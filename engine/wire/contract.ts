/**
 * What a contract is: a map of methods. A *query* answers once; a *stream* answers many times until it ends or the caller
 * aborts. Inputs are schemas and are parsed at the boundary, wherever a call comes from. Outputs are types, and schemas as
 * well where the other side reads unknown files.
 */
import type * as z from 'zod';
import type { EngineError } from './errors.ts';

interface Method<I extends z.ZodType, O> {
  readonly input: I;
  /** Carries the output type only; never set. */
  readonly answer?: O;
  /** Checks every answer on arrival. */
  readonly output?: z.ZodType<O> | undefined;
}
export interface Query<I extends z.ZodType, O> extends Method<I, O> {
  readonly kind: 'query';
}
export interface Stream<I extends z.ZodType, O> extends Method<I, O> {
  readonly kind: 'stream';
  /** Answers that may be on their way before the reader has taken one. */
  readonly credit: number;
}
export type Contract = Readonly<Record<string, Query<z.ZodType, unknown> | Stream<z.ZodType, unknown>>>;

export const query =
  <O>(output?: z.ZodType<O>) =>
  <I extends z.ZodType>(input: I): Query<I, O> => ({ kind: 'query', input, output });
export const stream =
  <O>({ output, credit = 16 }: { output?: z.ZodType<O>; credit?: number } = {}) =>
  <I extends z.ZodType>(input: I): Stream<I, O> => ({ kind: 'stream', input, output, credit });

export type MethodOf<C extends Contract> = keyof C & string;
export type QueryOf<C extends Contract> = {
  [M in MethodOf<C>]: C[M]['kind'] extends 'query' ? M : never;
}[MethodOf<C>];
export type StreamOf<C extends Contract> = {
  [M in MethodOf<C>]: C[M]['kind'] extends 'stream' ? M : never;
}[MethodOf<C>];

/** What a caller writes (defaults may be left out). */
export type InputOf<C extends Contract, M extends MethodOf<C>> = z.input<C[M]['input']>;
/** What a handler gets (defaults filled in). */
export type ParsedInputOf<C extends Contract, M extends MethodOf<C>> = z.output<C[M]['input']>;
export type OutputOf<C extends Contract, M extends MethodOf<C>> = Exclude<C[M]['answer'], undefined>;

/** An answer of a handler whose buffers or ports are moved to the caller instead of copied. */
export class Transfer<T> {
  readonly value: T;
  readonly transfer: readonly Transferable[];

  constructor(value: T, transfer: readonly Transferable[]) {
    this.value = value;
    this.transfer = transfer;
  }
}

/** What a handler knows of its call. */
export interface CallContext {
  /** Aborts when the caller cancels, leaves a stream early, or is gone. */
  readonly signal: AbortSignal;
  /** Ports that came with the call. */
  readonly ports: readonly unknown[];
  /** A sign of life during long work, for a caller that ends who says nothing. */
  readonly alive: () => void;
  /** Which paths the caller may name in what it has others name for it; null: all. */
  readonly mayName: ((path: string) => boolean) | null;
}

/** What the side that serves implements. */
export type HandlersOf<C extends Contract> = {
  [M in MethodOf<C>]: M extends StreamOf<C>
    ? (
        input: ParsedInputOf<C, M>,
        context: CallContext,
      ) => AsyncIterable<OutputOf<C, M> | Transfer<OutputOf<C, M>>>
    : (
        input: ParsedInputOf<C, M>,
        context: CallContext,
      ) => Promise<OutputOf<C, M> | Transfer<OutputOf<C, M>>>;
};

export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** Buffers and ports that are moved instead of copied. */
  transfer?: readonly Transferable[];
  /** Told of every sign of life: answers of a stream, and what the handler says through `alive`. */
  onAlive?: () => void;
}

/** The side that calls; the same over every transport. */
export interface Client<C extends Contract> {
  /** @throws EngineError, `cancelled` when the signal aborts */
  call<M extends QueryOf<C>>(method: M, input: InputOf<C, M>, options?: CallOptions): Promise<OutputOf<C, M>>;
  /**
   * Begins at once, not at the first read. A slow reader slows the other side down; leaving the loop early ends its work.
   * @throws EngineError from the iterator
   */
  stream<M extends StreamOf<C>>(
    method: M,
    input: InputOf<C, M>,
    options?: CallOptions,
  ): AsyncIterable<OutputOf<C, M>>;
}

/** A client that was made from a port. */
export interface Connection<C extends Contract> extends Client<C> {
  /** Resolves when the other side has ended everything that was asked of it, also what was cancelled. */
  idle(): Promise<void>;
  /** Lets go of the port: what is pending fails, and the other side ends its work. */
  close(): void;
}

/** Gives anything thrown the typed form that crosses the wire. */
export type ErrorCoding = (thrown: unknown) => EngineError;
