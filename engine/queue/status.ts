import type { QueueStatus, WorkerStatus } from '../api/queue.ts';

interface Metric {
  name: string;
  help: string;
  kind: 'gauge' | 'counter';
  values: (status: QueueStatus) => { labels: Record<string, string>; value: number }[];
}

const perLibrary =
  (value: (library: QueueStatus['libraries'][number]) => number): Metric['values'] =>
  ({ libraries }) =>
    libraries.map((library) => ({ labels: { library: library.libraryId }, value: value(library) }));
const perWorker =
  (value: (worker: WorkerStatus) => number): Metric['values'] =>
  ({ workers }) =>
    workers.map((worker) => ({ labels: { worker: worker.worker }, value: value(worker) }));

const metrics: readonly Metric[] = [
  {
    name: 'tasks_waiting',
    help: 'Tracks that nobody took yet.',
    kind: 'gauge',
    values: perLibrary((l) => l.waiting),
  },
  {
    name: 'tasks_under_way',
    help: 'Tracks that workers have.',
    kind: 'gauge',
    values: perLibrary((l) => l.underWay),
  },
  {
    name: 'answers_to_store',
    help: 'Answers that are not stored.',
    kind: 'gauge',
    values: perLibrary((l) => l.answersToStore),
  },
  {
    name: 'server_bytes',
    help: 'Bytes of tasks and answers.',
    kind: 'gauge',
    values: perLibrary((l) => l.bytes),
  },
  {
    name: 'workers',
    help: 'Workers that are there.',
    kind: 'gauge',
    values: ({ workers }) => [{ labels: {}, value: workers.length }],
  },
  {
    name: 'worker_tracks_total',
    help: 'Tracks answered.',
    kind: 'counter',
    values: perWorker((w) => w.answered),
  },
  {
    name: 'worker_file_failures_total',
    help: 'Files that could not be used.',
    kind: 'counter',
    values: perWorker((w) => w.fileFailures),
  },
  {
    name: 'worker_refusals_total',
    help: 'Tasks that the worker could not do.',
    kind: 'counter',
    values: perWorker((w) => w.refused),
  },
  {
    name: 'worker_windows_total',
    help: 'Windows embedded.',
    kind: 'counter',
    values: perWorker((w) => w.windows),
  },
  {
    name: 'worker_windows_per_second',
    help: 'Windows embedded each second, lately.',
    kind: 'gauge',
    values: perWorker((w) => w.windowsPerSecond),
  },
  {
    name: 'worker_memory_bytes',
    help: 'Memory of the worker.',
    kind: 'gauge',
    values: perWorker((w) => w.memory),
  },
];

/** The same for Prometheus, in its text format. */
export function prometheusText(status: QueueStatus): string {
  return metrics
    .map(({ name, help, kind, values }) =>
      [
        `# HELP archetone_queue_${name} ${help}`,
        `# TYPE archetone_queue_${name} ${kind}`,
        ...values(status).map(({ labels, value }) => {
          const inside = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
          return `archetone_queue_${name}${inside.length > 0 ? `{${inside.join(',')}}` : ''} ${value}`;
        }),
      ].join('\n'),
    )
    .join('\n');
}
