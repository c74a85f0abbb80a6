import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Terms } from '../backbones/publishers.ts';
import { readPack, type Pack } from '../packs/index.ts';
import { planFiles } from './plan-files.ts';
import type { ConversionPlan, PlannedGraph } from './plan.ts';
import { describePrecision, isReduced, measurePrecision, reducedGraph } from './precision.ts';
import { selfTest, trialHere, type Trial } from './self-test.ts';
import type { ConversionChoices } from './settings.ts';
import { hashFile, WorkFolder, type GraphEntry } from './work-folder.ts';

export type { Precision, PrecisionReport } from './precision.ts';
export type { ConversionChoices } from './settings.ts';
export type { Trial } from './self-test.ts';
export type { Terms } from '../backbones/publishers.ts';
export { isNonCommercial } from '../backbones/essentia-card.ts';
export { hashFile } from './work-folder.ts';

/** A file to convert, and where it came from. */
export interface SourceFile {
  path: string;
  /** Address it was downloaded from. */
  url?: string;
}

/** What a set of files would become; nothing was written. */
export interface Inspection {
  id: string;
  title: string;
  kind: 'generative' | 'embedding-only';
  windowSeconds: number;
  embeddingDim: number;
  /** Why there will be no sound, or null. */
  soundless: string | null;
  files: { name: string; model: string }[];
  terms: Terms[];
  /** Assumptions and warnings, a sentence each. */
  notes: string[];
}

export interface ConversionOptions {
  /** Folder in which the pack gets a folder of its own. */
  packsFolder: string;
  choices?: ConversionChoices;
  /** Fewest numbers of a weight that reduced precision changes; default: what pays. For small models. */
  smallestReduced?: number;
  /** Where the new graphs are tried out; default: in this process. */
  trial?: Trial;
  signal?: AbortSignal;
  onProgress?: (progress: ConversionProgress) => void;
}

/** How far a conversion is. */
export interface ConversionProgress {
  done: number;
  total: number;
  /** What is being done, for people. */
  current: string;
}

/** Graphs of one version are never mixed with those of another when a conversion goes on after a crash. */
const CONVERTER_VERSION = 1;
const PACK_VERSION = '1.0.0';

/**
 * Says what a set of checkpoint files is and what pack they make.
 * @throws CheckpointError naming the file at fault
 */
export async function inspectFiles(
  paths: readonly string[],
  choices: ConversionChoices = {},
): Promise<Inspection> {
  const { plan, files, close } = await planFiles(paths, choices);
  try {
    const { id, title, kind, windowSeconds, embeddingDim, soundless = null } = plan.description;
    return {
      ...{ id, title, kind, windowSeconds, embeddingDim, soundless },
      files,
      terms: [...plan.terms],
      notes: plan.notes,
    };
  } finally {
    await close();
  }
}

/**
 * Makes a pack from checkpoint files: graphs, manifest, self-test, and one rename. A conversion that fails or is
 * stopped leaves nothing behind; one whose process died goes on where it was when it is started again.
 * @throws CheckpointError, GraphBuildError, PackError; the signal's reason
 */
export async function convertFiles(
  sources: readonly SourceFile[],
  options: ConversionOptions,
): Promise<{ pack: Pack; notes: string[] }> {
  const { signal, choices = {}, smallestReduced, onProgress = () => undefined } = options;
  const { precision = 'float32' } = choices;
  const { plan, beside, close } = await planFiles(
    sources.map(({ path }) => path),
    choices,
    signal,
  );
  try {
    const total = plan.graphs.length + (precision === 'float32' ? 2 : 3);
    onProgress({ done: 0, total, current: 'checksums' });
    const recorded = await recordSources([...sources, ...beside], signal);
    const key = createHash('sha256')
      .update(
        JSON.stringify([
          CONVERTER_VERSION,
          plan.description,
          recorded.map(({ sha256 }) => sha256),
          precision,
          smallestReduced,
        ]),
      )
      .digest('hex');
    const work = await WorkFolder.open(options.packsFolder, plan.description.id, key);
    try {
      const graphs: Partial<Record<string, GraphEntry>> = {};
      for (const [i, graph] of plan.graphs.entries()) {
        signal?.throwIfAborted();
        onProgress({ done: i + 1, total, current: graph.name });
        graphs[graph.name] = await work.graph(graph.name, async () => {
          const built = await graph.build();
          if (precision === 'float32' || !isReduced(graph.name)) return built;
          return reducedGraph(graph.name, built, precision, smallestReduced);
        });
      }
      const manifest = manifestOf(plan, graphs, recorded);
      await work.writeManifest(manifest);
      const unproven = await readPack(work.folder);
      const quality: Record<string, unknown> = {};
      const notes = [...plan.notes];
      if (precision !== 'float32') {
        onProgress({ done: total - 2, total, current: `${precision} against float32` });
        // Built once more rather than kept: what is measured is the file that an earlier process may have left.
        const original = (name: PlannedGraph['name']) => rebuilt(plan, name);
        const report = await measurePrecision(unproven, precision, original, signal);
        quality['precision'] = report;
        notes.push(describePrecision(report));
      }
      onProgress({ done: total - 1, total, current: 'self-test' });
      quality['selfTest'] = await selfTest(unproven, options.trial ?? trialHere, signal);
      await work.writeManifest({ ...manifest, quality });
      signal?.throwIfAborted();
      const folder = await work.finish();
      return { pack: await readPack(folder), notes };
    } catch (thrown) {
      await work.remove();
      throw thrown;
    }
  } finally {
    await close();
  }
}

function rebuilt({ graphs }: ConversionPlan, name: PlannedGraph['name']): Promise<Uint8Array> {
  const graph = graphs.find((planned) => planned.name === name);
  if (graph === undefined) throw new Error(`the plan has no graph ${name}`);
  return graph.build();
}

type RecordedSource = { file: string; sha256: string; bytes: number; url?: string };

async function recordSources(
  sources: readonly SourceFile[],
  signal: AbortSignal | undefined,
): Promise<RecordedSource[]> {
  const recorded: RecordedSource[] = [];
  for (const { path, url } of sources)
    recorded.push({
      file: basename(path),
      sha256: await hashFile(path, signal),
      bytes: (await stat(path)).size,
      ...(url === undefined ? {} : { url }),
    });
  return recorded;
}

function manifestOf(
  plan: ConversionPlan,
  graphs: Partial<Record<string, GraphEntry>>,
  sources: RecordedSource[],
): Record<string, unknown> {
  const { terms } = plan;
  return {
    schema: 'archetone.pack/1',
    version: PACK_VERSION,
    ...plan.description,
    licence: terms.map(({ subject, licence }) => `${subject}: ${licence}`).join('\n'),
    attribution: terms.map(({ attribution, url }) => `${attribution} ${url}`).join('\n'),
    trainingData: {
      statement:
        plan.trained ||
        `Converted from published weights. Their authors say what they were trained on: ${terms[0]?.url ?? ''}`,
    },
    sources,
    graphs,
  };
}
