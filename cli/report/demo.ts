import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Input } from '../../engine/api/contract.ts';
import type { Experiment } from '../../engine/api/experiments.ts';
import type { ExportResult } from '../../engine/api/exports.ts';
import type { LibrarySummary } from '../../engine/api/libraries.ts';
import type { PackInfo } from '../../engine/api/packs.ts';
import type { PrototypeInfo } from '../../engine/api/prototypes.ts';
import type { Reduction } from '../../engine/api/reductions.ts';
import type { Sonification } from '../../engine/api/sonify.ts';
import { EngineError } from '../../engine/api/errors.ts';
import type { Session } from '../session.ts';
import { SEARCHED_SPLITS } from '../../engine/api/studies.ts';
import { counted } from '../../engine/counted.ts';
import { studyOfMany } from '../study.ts';
import { taxonomyOf } from '../taxonomy.ts';
import { distinctFileNames } from '../../engine/bundles/names.ts';
import { asEngineError } from '../../engine/packs/failures.ts';
import { ExcerptCutter } from '../../engine/decode/excerpts.ts';
import type { Readers } from '../../engine/readers/readers.ts';
import { toOutput, writeOutput } from '../write-output.ts';
import { refuseTaken } from '../../engine/files/refuse-taken.ts';
import { reportPage, type PrototypeCard, type ReportFacts, type Timing } from './page.ts';
import { inScratch } from '../../engine/files/scratch.ts';

export interface DemoOptions {
  /** Folder of the report; must not exist or be empty. */
  out: string;
  /** Folder of music. */
  folder: string;
  seed: number;
  /** Training steps; the engine's default when left out. */
  steps?: number;
  /** Reads the excerpts; closed when they were cut. */
  openReaders(): Readers;
  openSession<T>(dataFolder: string, work: (session: Session) => Promise<T>): Promise<T>;
  say(message: string): void;
}

export interface DemoResult {
  index: string;
  library: LibrarySummary;
  experiment: Experiment;
  reduction: Reduction;
  exports: ExportResult[];
  timings: Timing[];
}

/**
 * The whole job on a folder of music without a window: import → taxonomy → train → classify → sonify → nearest real
 * excerpts → reduce → export, and a folder that shows it: `index.html`, the sounds, the export bundle, `report.json`.
 * @throws EngineError
 */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const out = resolve(options.out);
  await refuseTaken(out, 'Name a new folder with --out.');
  // The library itself is no part of the report; what is worth keeping is exported.
  return inScratch('demo', async (data) => {
    await toOutput(out, () => mkdir(out, { recursive: true }));
    const facts = await options.openSession(data, (session) => new Demo(session, options, out).run());
    const result = {
      index: join(out, 'index.html'),
      library: facts.library,
      experiment: facts.experiment,
      reduction: facts.reduction,
      exports: facts.bundles,
      timings: facts.timings,
    };
    await writeOutput(join(out, 'report.json'), `${JSON.stringify(result, null, 2)}\n`);
    return result;
  });
}

/** What the reduced set may lose of F1 over samples. */
const ALLOWED_LOSS = 0.02;

/** A report with everything in it. */
type WholeReport = ReportFacts & { reduction: Reduction };

class Demo {
  readonly #session: Session;
  readonly #options: DemoOptions;
  readonly #out: string;
  readonly #timings: Timing[] = [];

  constructor(session: Session, options: DemoOptions, out: string) {
    this.#session = session;
    this.#options = options;
    this.#out = out;
  }

  /**
   * The page is written as soon as there is a network to tell of, and again with everything that comes after it: first the
   * sound of each class's strongest prototype, then the bundle with all the others.
   */
  async run(): Promise<WholeReport> {
    const { client } = this.#session;
    const { folder, seed, steps } = this.#options;
    const { id: libraryId } = await client.call('libraries.open', { folder });
    await this.#timed('import', () =>
      this.#session.run('import', () => client.call('import.start', { libraryId })),
    );
    const taxonomy = await taxonomyOf(
      client,
      libraryId,
      { kind: 'folders' },
      { say: () => undefined, signal: this.#session.signal },
    );
    const request = { taxonomyId: taxonomy.id, seed, ...(steps === undefined ? {} : { steps }) };
    const { experimentId } = await this.#timed('train', () =>
      this.#session.run('train', () => client.call('experiments.train', { libraryId, request })),
    );
    await this.#timed('classify', () =>
      this.#session.run('classify', () => client.call('classify.library', { libraryId, experimentId })),
    );
    const experiment = await client.call('experiments.get', { libraryId, experimentId });
    const facts = await this.#facts(libraryId, experiment);
    try {
      return await this.#fill(facts, libraryId, taxonomy.id);
    } catch (thrown) {
      const why = asEngineError(thrown).message;
      await this.#write({ ...facts, progress: { state: 'stopped', why } });
      throw thrown;
    }
  }

  /** What is known once there is a network. */
  async #facts(libraryId: string, experiment: Experiment): Promise<ReportFacts> {
    const { client } = this.#session;
    const library = await client.call('libraries.get', { libraryId });
    const pack = (await client.call('packs.list', {})).find(({ id }) => id === library.packId);
    if (!pack) throw new EngineError('pack', `The pack ${library.packId} is gone.`);
    const info = await client.call('app.info', {});
    const training = await client.call('packs.trainingData', { packId: pack.id });
    const failed = await client.call('tracks.list', { libraryId, filter: { state: 'failed' }, limit: 1000 });
    return {
      progress: { state: 'making', what: 'the reduced corpus', etaSeconds: null },
      version: info.version,
      platform: info.platform,
      node: process.versions.node,
      provider: info.provider,
      pack,
      licenceNotice: training?.notice ?? null,
      library,
      failures: failed.tracks.map(({ path, problem }) => ({ path, message: problem?.message ?? '' })),
      experiment,
      cards: await this.#timed('excerpts', () => this.#cards(libraryId, experiment, pack)),
      explanation: await this.#explanation(libraryId, experiment.id),
      reduction: null,
      recommendation: null,
      bundles: [],
      timings: this.#timings,
    };
  }

  /** Makes what takes longer, and writes the page with each piece. */
  async #fill(facts: ReportFacts, libraryId: string, taxonomyId: string): Promise<WholeReport> {
    const { client } = this.#session;
    const experimentId = facts.experiment.id;
    const prototypes = await client.call('prototypes.list', { libraryId, experimentId });
    await this.#write(facts);
    this.#options.say(`The report is there, sounds are still to come: ${join(this.#out, 'index.html')}`);
    const { reduction, recommendation } = await this.#timed('reduce', () =>
      this.#reduce(libraryId, taxonomyId),
    );
    Object.assign(facts, { reduction, recommendation });

    const waiting = facts.cards.filter(({ sonified }) => sonified === 'to come').length;
    let made = 0;
    const begun = performance.now();
    const secondsEach = (): number | null => (made === 0 ? null : (performance.now() - begun) / 1000 / made);
    const tell = (what: string, sounds: number): Promise<void> => {
      const each = secondsEach();
      const etaSeconds = each === null ? null : each * sounds;
      facts.progress = { state: 'making', what, etaSeconds };
      return this.#write(facts);
    };
    const inBundles = prototypes.length + reduction.prototypeRows;
    const rest = facts.pack.kind === 'generative' ? inBundles - waiting : 0;
    await this.#timed('sonify', async () => {
      for (const card of facts.cards) {
        if (card.sonified !== 'to come') continue;
        await tell(
          `${waiting - made} of ${counted(waiting, 'sound')} on this page, then the export bundles with ${rest} more`,
          waiting - made + rest,
        );
        card.sonified = await this.#sonify(libraryId, experimentId, card);
        made++;
      }
    });
    await tell(rest > 0 ? `the export bundles, with ${rest} more sounds` : 'the export bundles', rest);
    facts.bundles = await this.#timed('export', async () => [
      await this.#export(libraryId, 'experiment', { kind: 'experiment', experimentId }),
      await this.#export(libraryId, 'reduction', { kind: 'reduction', reductionId: reduction.id }),
    ]);
    facts.progress = { state: 'done' };
    await this.#write(facts);
    return { ...facts, reduction };
  }

  #write(facts: ReportFacts): Promise<void> {
    return writeOutput(join(this.#out, 'index.html'), reportPage(facts));
  }

  async #timed<T>(step: string, work: () => Promise<T>): Promise<T> {
    this.#options.say(`${step} …`);
    const started = performance.now();
    const result = await work();
    this.#timings.push({ step, seconds: (performance.now() - started) / 1000 });
    return result;
  }

  /** Per class the prototype with the most support and its nearest real window; its own sound comes later. */
  async #cards(libraryId: string, experiment: Experiment, pack: PackInfo): Promise<PrototypeCard[]> {
    const { client } = this.#session;
    const prototypes = await client.call('prototypes.list', { libraryId, experimentId: experiment.id });
    const chosen = experiment.classes.flatMap((name) => {
      const own = prototypes.filter((prototype) => prototype.class === name);
      return own.reduce<PrototypeInfo[]>(
        (best, next) => (next.support > (best[0]?.support ?? -1) ? [next] : best),
        [],
      );
    });
    const names = distinctFileNames(chosen.map(({ class: name }) => name));
    const readers = this.#options.openReaders();
    const cutter = new ExcerptCutter(readers, pack.sampleRate, pack.windowSeconds);
    try {
      await mkdir(join(this.#out, 'audio'), { recursive: true });
      const cards: PrototypeCard[] = [];
      for (const [i, prototype] of chosen.entries()) {
        const [nearest] = prototype.nearest;
        const name = names[i] ?? '';
        const excerpt = `audio/${name} B real.wav`;
        if (nearest) {
          const { absolutePath } = await client.call('tracks.get', { libraryId, trackId: nearest.trackId });
          const sound = await cutter.cut(absolutePath, nearest.startSeconds, this.#session.signal);
          await writeFile(join(this.#out, excerpt), sound);
        }
        cards.push({
          prototype,
          name,
          sonified: pack.kind === 'generative' ? 'to come' : null,
          excerpt: nearest
            ? {
                file: urlPath(excerpt),
                path: nearest.path,
                startSeconds: nearest.startSeconds,
                distance: nearest.distance,
              }
            : null,
        });
      }
      return cards;
    } finally {
      await readers.close();
    }
  }

  async #sonify(
    libraryId: string,
    experimentId: string,
    { prototype: { index }, name }: PrototypeCard,
  ): Promise<{ file: string; sonification: Sonification }> {
    const { sonifications } = await this.#session.run('sonify', (client) =>
      client.call('sonify.start', {
        libraryId,
        targets: [{ kind: 'prototype', experimentId, index }],
        seed: this.#options.seed,
      }),
    );
    const [made] = sonifications;
    if (!made) throw new EngineError('internal', 'The sound that was just made is gone.');
    const file = `audio/${name} A sonified.wav`;
    await copyFile(this.#session.mediaPath(made.sonification.url), join(this.#out, file));
    return { file: urlPath(file), sonification: made.sonification };
  }

  #reduce(libraryId: string, taxonomyId: string): ReturnType<typeof studyOfMany> {
    return studyOfMany(
      this.#session,
      libraryId,
      {
        source: { kind: 'library', taxonomyId },
        split: { kind: 'holdout', test: 0.3, repeats: SEARCHED_SPLITS },
        seed: this.#options.seed,
      },
      ALLOWED_LOSS,
    );
  }

  async #export(
    libraryId: string,
    name: string,
    subject: Input<'exports.start'>['subject'],
  ): Promise<ExportResult> {
    const folder = join(this.#out, 'export', name);
    const { seed } = this.#options;
    const { export: bundle } = await this.#session.run('export', (client) =>
      client.call('exports.start', { libraryId, subject, folder, seed }),
    );
    return bundle;
  }

  /** Of a test track that was classified correctly, or of any track that was classified. */
  async #explanation(libraryId: string, experimentId: string): Promise<ReportFacts['explanation']> {
    const { client } = this.#session;
    const experiment = await client.call('experiments.get', { libraryId, experimentId });
    const { tracks } = await client.call('tracks.list', {
      libraryId,
      experimentId,
      taxonomyId: experiment.taxonomyId,
      filter: { state: 'ready' },
      limit: 1000,
    });
    const tested = tracks.filter(({ prediction }) => prediction?.split === 'test');
    const track = tested.find(({ prediction }) => prediction?.correct === true) ?? tested[0] ?? tracks[0];
    if (!track) return null;
    const explanation = await client.call('explain.track', { libraryId, experimentId, trackId: track.id });
    return { explanation, path: track.path };
  }
}

/** A path inside the report as a relative URL. */
function urlPath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
