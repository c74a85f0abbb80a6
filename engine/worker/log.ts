/** What happened, for people who run workers and for what collects their logs: one JSON object a line. */
export type LogEvent =
  | 'started'
  | 'took'
  | 'answered'
  | 'file-failed'
  | 'cannot'
  | 'handed-back'
  | 'other-version'
  | 'nonsense'
  | 'set-aside'
  | 'stopping'
  | 'stopped';

export type WorkerLog = (event: LogEvent, facts?: Readonly<Record<string, string | number | null>>) => void;

/** @param write takes one line with its end */
export function jsonLog(write: (line: string) => void, worker: string): WorkerLog {
  return (event, facts = {}) =>
    write(`${JSON.stringify({ time: new Date().toISOString(), worker, event, ...facts })}\n`);
}
