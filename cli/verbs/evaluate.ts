import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import {
  absoluteMetric,
  evaluationSteps,
  scoreText,
  targetMetric,
  type EvaluationRow,
  type EvaluationSimilarity,
  type EvaluationStep,
  type EvaluationTable,
} from '../../engine/api/evaluations.ts';
import { csvOf, latexOf } from '../../engine/evaluate/files.ts';
import { addQueueOptions, queueSettings, type QueueOptions } from '../queue-options.ts';
import { table } from '../text.ts';
import { writeOutput } from '../write-output.ts';
import type { AddVerb } from '../verb.ts';

interface Options extends QueueOptions {
  step: EvaluationStep;
  library: string;
  place: Record<string, string>;
  csv?: string;
  latex?: string;
}

/** Adds `archetone evaluate`. */
export const evaluateVerb: AddVerb = (program, cli) => {
  const command = program
    .command('evaluate')
    .description(
      'Compare packs: tasks × spaces × deformations × probes, as an evaluation file (mir_ref’s YAML) says.',
    )
    .argument('<file>', 'evaluation file')
    .requiredOption('--library <folder>', 'data folder in which results and vectors are kept')
    .addOption(
      program
        .createOption('--step <step>', 'what to do; a run that was ended goes on where it was')
        .choices(evaluationSteps)
        .default('conduct'),
    )
    .option('--place <name=folder>', 'where a folder is that the file names; may be repeated', place, {})
    .option('--queue <address>', 'leave the vectors to the workers of this queue: nats://host:4222')
    .option('--csv <file>', 'write the table as CSV')
    .option('--latex <file>', 'write the table as LaTeX');
  addQueueOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  archetone evaluate choosing.yml --library ~/archetone-evaluations --place philharmonia=~/philharmonia
  archetone evaluate choosing.yml --library ~/archetone-evaluations --step extract
  archetone evaluate choosing.yml --library ~/archetone-evaluations --csv table.csv --json`,
    )
    .action((file: string, options: Options) =>
      cli.answer(() =>
        cli.withSession(
          options.library,
          async (session) => {
            const { evaluationId } = await session.run('evaluate', (client) =>
              client.call('evaluations.run', {
                file: { kind: 'file', path: resolve(file) },
                step: options.step,
                places: options.place,
              }),
            );
            const result = await session.client.call('evaluations.table', { evaluationId });
            for (const { at, message } of result.marks) cli.say(`${at}: ${message}`);
            if (options.csv !== undefined) await writeOutput(options.csv, csvOf(result));
            if (options.latex !== undefined) await writeOutput(options.latex, latexOf(result));
            return { json: result, text: textOf(result) };
          },
          options.queue === undefined ? {} : { queue: queueSettings(options.queue, options) },
        ),
      ),
    );
};

function place(text: string, before: Record<string, string>): Record<string, string> {
  const [name, ...rest] = text.split('=');
  if (!name || rest.length === 0) throw new InvalidArgumentError('must be a name, “=” and a folder.');
  return { ...before, [name]: resolve(rest.join('=')) };
}

/** What each pack knows of the sound: a line per space, a column per target. */
function spiderOf(rows: readonly EvaluationRow[]): string {
  const own = rows.filter(({ metric }) => metric.startsWith(targetMetric));
  const keyOf = ({ dataset, space, probe, deformation }: EvaluationRow): string =>
    JSON.stringify([dataset, space, probe, deformation]);
  const lines = [...new Map(own.map((row) => [keyOf(row), row])).values()];
  const targets = [...new Set(own.map(({ metric }) => metric))];
  return table<EvaluationRow>(
    [
      { title: 'data set', value: (line) => line.dataset },
      { title: 'space', value: (line) => line.space },
      { title: 'deformation', value: (line) => line.deformation },
      ...targets.map((metric) => ({
        title: metric.slice(targetMetric.length),
        value: (line: EvaluationRow) => {
          const row = own.find((one) => one.metric === metric && keyOf(one) === keyOf(line));
          return row ? scoreText(row) : '–';
        },
        align: 'right' as const,
      })),
    ],
    lines,
  );
}

function textOf({ rows, similarities, cells, planned }: EvaluationTable): string {
  const known = table<EvaluationRow>(
    [
      { title: 'data set', value: (row) => row.dataset },
      { title: 'space', value: (row) => row.space },
      { title: 'probe', value: (row) => row.probe },
      { title: 'deformation', value: (row) => row.deformation },
      { title: 'metric', value: (row) => row.metric },
      {
        title: 'score',
        value: (row) => `${scoreText(row)}${row.metric === absoluteMetric ? '' : ' %'}`,
        align: 'right',
      },
      { title: 'runs', value: (row) => String(row.runs), align: 'right' },
    ],
    rows.filter(({ metric }) => !metric.startsWith(targetMetric)),
  );
  const knows = rows.some(({ metric }) => metric.startsWith(targetMetric))
    ? `\nWhat each space knows of the sound (R², %):\n${spiderOf(rows)}\n`
    : '';
  const two = (value: number | null): string => (value === null ? '–' : value.toFixed(2));
  const shared = table<EvaluationSimilarity>(
    [
      { title: 'data set', value: (pair) => pair.dataset },
      { title: 'space', value: (pair) => pair.first },
      { title: 'and', value: (pair) => pair.second },
      { title: 'CKA', value: (pair) => two(pair.cka), align: 'right' },
      { title: 'RSA', value: (pair) => two(pair.rsa), align: 'right' },
    ],
    similarities,
  );
  const pairs = similarities.length > 0 ? `\n${shared}\n` : '';
  return `${known}\n${knows}${pairs}${cells} of ${planned} cells`;
}
