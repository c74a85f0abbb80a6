import { basename, resolve } from 'node:path';
import { cutWindows, type AudioWindow } from '../../models/audio/windows.ts';
import { meanOfRows } from '../../models/embeddings/pooling.ts';
import type { ParsedInput } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { Taggram, TagsEvent } from '../api/tags.ts';
import { writeCsv } from '../bundles/csv.ts';
import type { EngineContext } from '../context.ts';
import type { AudioDecoder } from '../decode/index.ts';
import { isAudioName } from '../files/scan.ts';
import { writeWhole } from '../files/write-whole.ts';
import { asEngineError } from '../packs/failures.ts';
import { soundingPatches, taggerOf, type Tagger } from '../packs/tagger.ts';
import { expandPaths } from './files.ts';

/** Windows per run of the network. */
const BATCH = 4;

/**
 * Decodes a file and asks a tagger about every patch. A patch that reaches beyond the end is left out, unless it is the only
 * one.
 * @throws AudioError for a file that gives no audio; PackError; the signal's reason
 */
export async function tagFile(
  decode: AudioDecoder,
  tagger: Tagger,
  path: string,
  signal: AbortSignal,
): Promise<Taggram> {
  const { pack, headId, positive, patches, patchSeconds, hopSeconds } = tagger;
  const { sampleRate, windowSamples, id } = pack.manifest;
  const classes = [...tagger.classes];
  const width = classes.length;
  const notes = new Set<string>();
  const mono = decode.decode(path, { sampleRate, signal, onWarning: (note) => notes.add(note) });
  const rows: Float32Array[] = [];
  const starts: number[] = [];
  let samples = 0;
  const add = async (windows: readonly AudioWindow[]): Promise<void> => {
    const waveforms = new Float32Array(windows.length * windowSamples);
    windows.forEach((window, i) => waveforms.set(window.samples, i * windowSamples));
    const values = await tagger.predict(waveforms, windows.length);
    signal.throwIfAborted();
    for (const [w, { startSample, validSamples }] of windows.entries()) {
      samples += validSamples;
      const heard = Math.max(soundingPatches(tagger, validSamples), rows.length === 0 ? 1 : 0);
      for (let p = 0; p < heard; p++) {
        rows.push(values.slice((w * patches + p) * width, (w * patches + p + 1) * width));
        starts.push(startSample / sampleRate + p * hopSeconds);
      }
    }
  };
  let waiting: AudioWindow[] = [];
  for await (const window of cutWindows(mono, { windowSamples })) {
    waiting.push(window);
    if (waiting.length < BATCH) continue;
    await add(waiting);
    waiting = [];
  }
  if (waiting.length > 0) await add(waiting);
  if (rows.length === 0)
    throw new EngineError('audio', `${basename(path)} holds no sound.`, 'Choose another file.');
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, i) => values.set(row, i * width));
  return {
    ...{ packId: id, headId, classes, positive },
    startSeconds: Float32Array.from(starts),
    patchSeconds,
    values,
    means: Float32Array.from(meanOfRows(values, width)),
    seconds: samples / sampleRate,
    note: notes.size === 0 ? null : [...notes].join(' '),
  };
}

/**
 * Tags files one after the other, and writes labels of them where it was asked for. A file that cannot be used is told of; the
 * others go on.
 * @throws EngineError `not-found`, `pack`; `bad-input` when the label file cannot be written, or might be music; the reason of
 * the first file when none can be used; the signal's reason
 */
export async function* tagFiles(
  context: EngineContext,
  { packId, headId, paths, labels }: ParsedInput<'tags.files'>,
  signal: AbortSignal,
): AsyncGenerator<TagsEvent, void> {
  if (labels && isAudioName(basename(labels.file)))
    throw new EngineError(
      'bad-input',
      `${labels.file} is called like music; nothing is written over music.`,
      'Name a file for the labels that ends in .csv.',
    );
  const tagger = await taggerOf(context, { packId, headId });
  const { files, problems } = await expandPaths(paths, signal);
  const failures: EngineError[] = [];
  const failed = (path: string, error: EngineError): TagsEvent => {
    failures.push(error);
    return { type: 'failure', path, problem: error.toData() };
  };
  for (const { path, error } of problems) yield failed(path, error);
  const labelled: [path: string, labels: string][] = [];
  let [done, seconds, windows] = [0, 0, 0];
  const started = performance.now();
  for (const [index, path] of files.entries()) {
    try {
      const taggram = await tagFile(context.readers, tagger, path, signal);
      done++;
      seconds += taggram.seconds;
      windows += taggram.startSeconds.length;
      const chosen = labels ? strongest(taggram, labels) : [];
      if (chosen.length > 0) labelled.push([resolve(path), chosen.join(';')]);
      yield { type: 'file', path, taggram };
    } catch (thrown) {
      signal.throwIfAborted();
      const error = asEngineError(thrown);
      if (error.code === 'pack') throw error;
      yield failed(path, error);
    }
    const elapsed = (performance.now() - started) / 1000;
    const progress = {
      ...({ done: index + 1, total: files.length, unit: 'files', current: path } as const),
      ...{ windows, failures: failures.length, audioSecondsPerSecond: seconds / elapsed },
      etaSeconds: (elapsed / (index + 1)) * (files.length - index - 1),
    };
    yield { type: 'progress', progress };
  }
  if (done === 0)
    throw (
      failures[0] ??
      new EngineError('empty-folder', 'There are no audio files to tag.', 'Name files or another folder.')
    );
  if (labels) await writeLabels(labels.file, labelled);
  yield {
    type: 'done',
    files: done,
    labels: labels ? { file: labels.file, labelled: labelled.length } : null,
  };
}

/**
 * Classes from a mean on, the strongest first. Of two of which one denies the other both cannot be so: the positive one is
 * given where it reaches the threshold. In a label file “;” parts them, so that none may hold it.
 */
export function strongest(
  { classes, means, positive }: Pick<Taggram, 'classes' | 'means' | 'positive'>,
  { threshold, most }: { threshold: number; most: number },
): string[] {
  const reached = classes
    .map((name, i) => ({ name, mean: means[i] ?? 0 }))
    .filter(({ mean }) => mean >= threshold)
    .sort((a, b) => b.mean - a.mean);
  const alone = reached.filter(({ name }) => name === positive);
  return (alone.length > 0 ? alone : reached).slice(0, most).map(({ name }) => name.replaceAll(';', ','));
}

async function writeLabels(file: string, rows: readonly (readonly [string, string])[]): Promise<void> {
  try {
    await writeWhole(file, new TextEncoder().encode(writeCsv(['path', 'labels'], rows)));
  } catch (thrown) {
    const error = asEngineError(thrown);
    if (error.code !== 'internal') throw error;
    throw new EngineError('bad-input', `${file} cannot be written.`, 'Name another place.', {
      cause: thrown,
    });
  }
}
