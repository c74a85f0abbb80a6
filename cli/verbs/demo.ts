import { headline } from '../../engine/api/metric-names.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { counted } from '../../engine/counted.ts';
import { runDemo } from '../report/demo.ts';
import { seedNumber, wholeNumber } from '../options.ts';
import { duration, pairs, percent } from '../text.ts';
import type { AddVerb } from '../verb.ts';

export const demoVerb: AddVerb = (program, cli) => {
  program
    .command('demo')
    .description('Do the whole job on the labelled demo and write a report to look at and listen to.')
    .requiredOption('--out <dir>', 'folder for the report; must not exist or be empty')
    .option('--steps <n>', 'training steps', wholeNumber(1, 200_000))
    .option('--seed <n>', 'seed of split, training and sounds', seedNumber, 1)
    .addHelpText('after', '\nExample:\n  archetone demo --out report && open report/index.html')
    .action((options: { out: string; steps?: number; seed: number }) =>
      cli.answer(async () => {
        const { labelledDemoFolder } = cli.places;
        if (labelledDemoFolder === null)
          throw new EngineError(
            'missing-folder',
            'The demo sounds are not there.',
            'Install Archetone again.',
          );
        const { readersOf } = await import('../readers.ts');
        const result = await runDemo({
          out: options.out,
          seed: options.seed,
          ...(options.steps === undefined ? {} : { steps: options.steps }),
          folder: labelledDemoFolder,
          openReaders: () => readersOf(cli.places),
          openSession: (dataFolder, work) => cli.withSession(dataFolder, work),
          say: (message) => cli.say(message),
        });
        const best = headline(result.experiment);
        return {
          json: result,
          text: pairs([
            ['report', result.index],
            [
              'tracks',
              `${result.library.tracks.ready} ready, ${counted(result.library.windowCount, 'window')}`,
            ],
            ...(best
              ? [
                  [
                    `test ${best.name.title.toLowerCase()}`,
                    `${percent(best.value)} (majority ${percent(best.test.majorityBaseline)})`,
                  ] as const,
                ]
              : []),
            ['time', duration(result.timings.reduce((sum, { seconds }) => sum + seconds, 0))],
          ]),
        };
      }),
    );
};
