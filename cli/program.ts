import { Command, CommanderError } from 'commander';
import { EngineError } from '../engine/api/errors.ts';
import { inScratch } from '../engine/files/scratch.ts';
import { asEngineError } from '../engine/packs/failures.ts';
import { exitCodeHelp, exitCodeOf, exitCodes } from './exit-codes.ts';
import { Interrupt } from './interrupt.ts';
import { requireLibraryFolder } from './library-folder.ts';
import { findPlaces } from './places.ts';
import { ProgressLine } from './progress.ts';
import { backupVerb, restoreVerb } from './verbs/backup.ts';
import { classifyVerb } from './verbs/classify.ts';
import { compareVerb } from './verbs/compare.ts';
import { demoVerb } from './verbs/demo.ts';
import { doctorVerb } from './verbs/doctor.ts';
import { embedVerb } from './verbs/embed.ts';
import { storeVerb } from './verbs/store.ts';
import { tagsVerb } from './verbs/tags.ts';
import { evaluateVerb } from './verbs/evaluate.ts';
import { experimentsVerb } from './verbs/experiments.ts';
import { exportVerb } from './verbs/export.ts';
import { importVerb } from './verbs/import.ts';
import { knnVerb } from './verbs/knn.ts';
import { listeningVerb } from './verbs/listening.ts';
import { melodyVerb } from './verbs/melody.ts';
import { mistakesVerb } from './verbs/mistakes.ts';
import { modalitiesVerb } from './verbs/modalities.ts';
import { modulationVerb } from './verbs/modulation.ts';
import { neighboursVerb } from './verbs/neighbours.ts';
import { openVerb } from './verbs/open.ts';
import { packsVerb } from './verbs/packs.ts';
import { playlistsVerb } from './verbs/playlists.ts';
import { prototypesVerb } from './verbs/prototypes.ts';
import { queueVerb } from './verbs/queue.ts';
import { reduceVerb } from './verbs/reduce.ts';
import { similarityVerb } from './verbs/similarity.ts';
import { sonifyVerb } from './verbs/sonify.ts';
import { taxonomiesVerb } from './verbs/taxonomies.ts';
import { tracksVerb } from './verbs/tracks.ts';
import { trainVerb } from './verbs/train.ts';
import { workerVerb } from './verbs/worker.ts';
import type { AddVerb, Answer, Cli } from './verb.ts';

const verbs: readonly AddVerb[] = [
  importVerb,
  taxonomiesVerb,
  trainVerb,
  experimentsVerb,
  tracksVerb,
  classifyVerb,
  prototypesVerb,
  compareVerb,
  listeningVerb,
  mistakesVerb,
  modalitiesVerb,
  modulationVerb,
  neighboursVerb,
  playlistsVerb,
  similarityVerb,
  embedVerb,
  tagsVerb,
  sonifyVerb,
  melodyVerb,
  reduceVerb,
  knnVerb,
  evaluateVerb,
  exportVerb,
  packsVerb,
  backupVerb,
  restoreVerb,
  openVerb,
  workerVerb,
  queueVerb,
  storeVerb,
  doctorVerb,
  demoVerb,
];

/**
 * Runs the command line. With `--json` exactly one JSON document goes to standard output, also when it fails; everything
 * else goes to standard error.
 * @param argv arguments after the program's name
 * @returns the exit code
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  const interrupt = new Interrupt();
  interrupt.listen();
  let exitCode: number = exitCodes.ok;

  const fail = (error: EngineError): void => {
    exitCode = exitCodeOf(error.code);
    if (json) process.stdout.write(`${JSON.stringify({ error: error.toData() }, null, 2)}\n`);
    else process.stderr.write(`${[error.message, error.hint].filter((part) => part !== '').join('\n')}\n`);
  };
  const cli: Cli = {
    places: findPlaces(),
    interrupt,
    progress: new ProgressLine(process.stderr),
    say: (message) => process.stderr.write(`${message}\n`),
    withSession: async (folder, work, engine = {}) => {
      const { places, progress } = cli;
      // The engine is most of what there is to read: help and wrong options need none of it.
      const { Session } = await import('./session.ts');
      const session = await Session.open({ places, folder, interrupt, progress, ...engine });
      try {
        return await work(session);
      } finally {
        await session.close();
      }
    },
    withoutLibrary: (work) =>
      inScratch('command', (folder) => cli.withSession(folder, (session) => work(session, folder))),
    withLibrary: async (folder, work) => {
      requireLibraryFolder(folder);
      return cli.withSession(folder, work);
    },
    answer: async (work) => {
      try {
        const answer: Answer = await work();
        exitCode = answer.exitCode ?? exitCodes.ok;
        process.stdout.write(json ? `${JSON.stringify(answer.json, null, 2)}\n` : `${answer.text}\n`);
      } catch (thrown) {
        fail(asEngineError(thrown));
      }
    },
  };

  const program = buildProgram(cli);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) fail(asEngineError(thrown));
    else if (thrown.exitCode !== 0) {
      exitCode = exitCodes.usage;
      // Without --json the program has already written its message.
      if (json) fail(new EngineError('bad-input', usageMessage(thrown), 'Run the command with --help.'));
    }
  } finally {
    interrupt.close();
  }
  return exitCode;
}

function buildProgram(cli: Cli): Command {
  const program = new Command('archetone')
    .description('A music classifier you can see, hear and edit.')
    .version(cli.places.version)
    .option('--json', 'one JSON document on standard output; progress and messages on standard error')
    .showHelpAfterError('(archetone --help shows what there is)')
    .exitOverride()
    .addHelpText('after', exitCodeHelp);
  for (const add of verbs) add(program, cli);
  for (const command of descendants(program)) {
    command.option('--json', 'one JSON document on standard output; progress and messages on standard error');
    command.exitOverride().addHelpText('after', exitCodeHelp);
  }
  return program;
}

function descendants(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}

function usageMessage(error: CommanderError): string {
  // Called without a verb, the program shows its help and says no more than that.
  if (error.code === 'commander.help') return 'No command was given.';
  return error.message.replace(/^error: /, '');
}
