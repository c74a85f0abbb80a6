/** Engine side of the hidden decoder window: runs in the engine process. */
import type { MessagePortMain } from 'electron';
import { EngineError } from '../engine/api/errors.ts';
import type { EngineOptions } from '../engine/engine.ts';
import { connect } from '../engine/wire/connect.ts';
import { electronPort } from '../engine/wire/transports/utility-process.ts';
import type { Client, Connection, OutputOf } from '../engine/wire/contract.ts';
import { decoderContract } from './decoder-contract.ts';
import type { MainContract } from './engine-contract.ts';

type ExternalDecoder = NonNullable<EngineOptions['browserDecoder']>;
type PcmStream = Awaited<ReturnType<ExternalDecoder>>;
type PcmChunk = PcmStream['chunks'] extends AsyncIterable<infer Chunk> ? Chunk : never;
type Decoder = Connection<typeof decoderContract>;
type Piece = OutputOf<typeof decoderContract, 'decode'>;

/** Borrows decoders from main and turns what comes back over their ports into PCM streams. */
export class ExternalDecoderBroker {
  private lastId = 0;
  private readonly expected = new Map<number, (port: MessagePortMain) => void>();

  constructor(
    private readonly main: Client<MainContract>,
    private readonly tokenFor: (path: string) => Promise<string>,
  ) {}

  readonly decode: ExternalDecoder = async (path, { signal }): Promise<PcmStream> => {
    signal.throwIfAborted();
    const token = await this.tokenFor(path);
    signal.throwIfAborted();
    const loan = this.borrow(signal);
    try {
      const decoder = await loan.decoder;
      const pieces: AsyncIterator<Piece, unknown> = decoder
        .stream('decode', { token }, { signal: loan.signal })
        [Symbol.asyncIterator]();
      const first = await pieces.next();
      if (first.done === true) throw new Error('The file holds no audio.');
      return {
        sampleRate: first.value.sampleRate,
        channels: first.value.planes.length,
        chunks: chunks(first.value, pieces, loan),
      };
    } catch (thrown) {
      loan.end();
      throw loan.lost ?? thrown;
    }
  };

  connected(id: number, port: MessagePortMain): void {
    const expected = this.expected.get(id);
    if (expected) expected(port);
    else port.close();
  }

  private borrow(signal: AbortSignal): Loan {
    const id = ++this.lastId;
    const over = new AbortController();
    let decoder: Decoder | null = null;
    const end = (): void => {
      signal.removeEventListener('abort', end);
      over.abort();
      this.expected.delete(id);
      decoder?.close();
    };
    signal.addEventListener('abort', end, { once: true });
    const loan: Loan = {
      signal: over.signal,
      end,
      lost: null,
      decoder: new Promise((resolve, reject) => {
        this.expected.set(id, (port) => {
          decoder = connect(electronPort(port), decoderContract);
          resolve(decoder);
        });
        this.main.call('decode', { id }, { signal: over.signal }).catch((thrown: unknown) => {
          const reason = EngineError.from(thrown);
          if (!over.signal.aborted) loan.lost = reason;
          reject(reason);
          decoder?.close();
        });
      }),
    };
    return loan;
  }
}

/** A decoder for the time of one file. */
interface Loan {
  readonly decoder: Promise<Decoder>;
  /** Aborts when the loan ends. */
  readonly signal: AbortSignal;
  /** How main lost the decoder, when it did. */
  lost: Error | null;
  end(): void;
}

async function* chunks(
  first: Piece,
  rest: AsyncIterator<Piece, unknown>,
  loan: Loan,
): AsyncGenerator<PcmChunk> {
  try {
    for (let piece = first; ;) {
      yield { sampleRate: piece.sampleRate, channelData: piece.planes };
      const next = await rest.next();
      if (next.done === true) return;
      piece = next.value;
    }
  } catch (thrown) {
    throw loan.lost ?? thrown;
  } finally {
    loan.end();
  }
}
