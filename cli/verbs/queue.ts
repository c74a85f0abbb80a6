import type { QueueStatus } from '../../engine/api/queue.ts';
import { prometheusText } from '../../engine/queue/status.ts';
import { addQueueOptions, queueSettings, type QueueOptions } from '../queue-options.ts';
import { bytes, table } from '../text.ts';
import type { Answer, AddVerb } from '../verb.ts';

interface Options extends QueueOptions {
  queue: string;
}

export const queueVerb: AddVerb = (program, cli) => {
  const group = program.command('queue').description('Look at a queue of many machines.');
  const add = (name: string, description: string, text: (status: QueueStatus) => string): void => {
    const verb = group
      .command(name)
      .description(description)
      .requiredOption('--queue <address>', 'nats://host:4222, or tls://host:4222');
    addQueueOptions(verb).action((options: Options) =>
      cli.answer(async (): Promise<Answer> => {
        const { observeQueue } = await import('../../engine/queue/nats/observe.ts');
        const status = await observeQueue(queueSettings(options.queue, options));
        return { json: status, text: text(status) };
      }),
    );
  };
  add('status', 'What there is to do for which library, who works, and how fast.', describe);
  add('metrics', 'The same in the text format of Prometheus.', prometheusText);
};

function describe({ libraries, workers }: QueueStatus): string {
  const parts = [
    libraries.length === 0
      ? 'No library has its tracks in this queue.'
      : table(
          [
            { title: 'library', value: (row: QueueStatus['libraries'][number]) => row.libraryId },
            { title: 'waiting', value: (row) => String(row.waiting), align: 'right' },
            { title: 'under way', value: (row) => String(row.underWay), align: 'right' },
            { title: 'to store', value: (row) => String(row.answersToStore), align: 'right' },
            { title: 'on the server', value: (row) => bytes(row.bytes), align: 'right' },
          ],
          libraries,
        ),
    workers.length === 0
      ? 'No worker is there: start one with archetone worker --queue …'
      : table(
          [
            { title: 'worker', value: (row: QueueStatus['workers'][number]) => row.worker },
            { title: 'computes with', value: (row) => `${row.provider}, ${row.processor}` },
            { title: 'tracks', value: (row) => String(row.answered), align: 'right' },
            { title: 'windows/s', value: (row) => row.windowsPerSecond.toFixed(1), align: 'right' },
            { title: 'failed', value: (row) => String(row.fileFailures + row.refused), align: 'right' },
            { title: 'now', value: (row) => row.current.join(', ') },
          ],
          workers,
        ),
  ];
  return parts.join('\n\n');
}
