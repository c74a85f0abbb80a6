import type { Command } from 'commander';
import type { Interrupt } from './interrupt.ts';
import type { Places } from './places.ts';
import type { ProgressLine } from './progress.ts';
import type { Session, SessionOptions } from './session.ts';

/** What a verb answers: the JSON document, the same for people, and the exit code. */
export interface Answer {
  json: unknown;
  text: string;
  exitCode?: number;
}

/** What a verb has to work with. */
export interface Cli {
  places: Places;
  interrupt: Interrupt;
  progress: ProgressLine;
  /** A message for people, on standard error. */
  say(message: string): void;
  /** Opens the engine on a data folder, hands it to `work` and closes it. */
  withSession<T>(
    folder: string,
    work: (session: Session) => Promise<T>,
    engine?: Pick<SessionOptions, 'queue' | 'store'>,
  ): Promise<T>;
  /** Like `withSession`, where nothing is kept: on a data folder that is gone afterwards. */
  withoutLibrary<T>(work: (session: Session, folder: string) => Promise<T>): Promise<T>;
  /** Like `withSession`, for a folder that must hold a library already. */
  withLibrary<T>(folder: string, work: (session: Session) => Promise<T>): Promise<T>;
  /** Runs a verb: prints its answer or its error and sets the exit code. */
  answer(work: () => Promise<Answer>): Promise<void>;
}

/** Adds a verb to the program. */
export type AddVerb = (program: Command, cli: Cli) => void;
