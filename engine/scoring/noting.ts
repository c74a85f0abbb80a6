import { AsyncQueue } from '../wire/index.ts';

/** What a long measurement tells: notes on the way, then what it found. */
export type Noted<Done> = { type: 'note'; message: string } | ({ type: 'done' } & Done);

/** Work that tells what it does, as a stream; leaving the stream early stops the work. @throws what the work throws */
export async function* noting<Done extends object>(
  signal: AbortSignal,
  work: (hooks: { signal: AbortSignal; note: (message: string) => void }) => Promise<Done>,
): AsyncGenerator<Noted<Done>, void> {
  const notes = new AsyncQueue<Noted<Done>>();
  const stop = new AbortController();
  const running = work({
    signal: AbortSignal.any([signal, stop.signal]),
    note: (message) => notes.push({ type: 'note', message }),
  }).then(
    (done) => {
      notes.push({ type: 'done', ...done });
      notes.end();
    },
    (thrown: unknown) => notes.fail(thrown),
  );
  try {
    yield* notes;
  } finally {
    stop.abort();
    await running;
  }
}
