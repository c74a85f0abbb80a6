import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, rmdir, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileToOpen } from '../../models/audio/index.ts';
import { Pacer } from '../../models/numerics/pacer.ts';
import type { ExportResult } from '../api/exports.ts';
import { EngineError } from '../api/errors.ts';
import { refuseTaken } from '../files/refuse-taken.ts';

export type BundleFile = ExportResult['files'][number];

/** Units of a {@link Pacer} that producing one character of text costs. */
const WORK_PER_CHARACTER = 32;

/** How a bundle's files reach the disk; tests put a full disk in its place. */
export type WriteFile = (path: string, bytes: Uint8Array) => Promise<void>;

/** Collects the files of a bundle in a folder that is not yet in its place. */
export class Bundle {
  readonly #folder: string;
  readonly #write: WriteFile;
  readonly #files: BundleFile[];
  readonly #prefix: string;

  constructor(
    folder: string,
    write: WriteFile,
    within: { files: BundleFile[]; prefix: string } | null = null,
  ) {
    this.#folder = folder;
    this.#write = write;
    this.#files = within?.files ?? [];
    this.#prefix = within?.prefix ?? '';
  }

  /** A folder of this bundle, to be filled by whoever fills a bundle; its files are among those of this one. */
  inside(folder: string): Bundle {
    return new Bundle(this.#folder, this.#write, {
      files: this.#files,
      prefix: `${this.#prefix}${folder}/`,
    });
  }

  /** Files so far, ordered by path. */
  get files(): BundleFile[] {
    return [...this.#files].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /**
   * @param path inside the bundle, with forward slashes.
   * @param content text may come in pieces; between them the event loop turns.
   * @throws the signal's reason
   */
  async add(
    path: string,
    content: Uint8Array | string | Iterable<string>,
    signal?: AbortSignal,
  ): Promise<void> {
    const bytes = content instanceof Uint8Array ? content : await encoded(content, signal);
    const absolute = await this.#place(path);
    await this.#write(absolute, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.#note(path, { bytes: bytes.length, sha256 });
  }

  /**
   * Copies a file as it is, piece by piece: it may be larger than memory.
   * @param path inside the bundle, with forward slashes.
   * @throws EngineError `unreadable` when the source cannot be read; the signal's reason
   */
  async copy(path: string, source: string, signal?: AbortSignal): Promise<void> {
    const from = await openRegular(source).catch((cause: unknown) => {
      throw new EngineError(
        'unreadable',
        `${source} cannot be read.`,
        'Rescan the library, or leave this track out of the selection.',
        { cause },
      );
    });
    try {
      await this.pour(path, from.createReadStream(), signal);
    } finally {
      await from.close();
    }
  }

  /**
   * Writes what comes piece by piece, each before the next is asked for: it may be larger than memory.
   * @param path inside the bundle, with forward slashes.
   * @throws what the pieces throw; the signal's reason
   */
  async pour(path: string, pieces: AsyncIterable<string | Uint8Array>, signal?: AbortSignal): Promise<void> {
    const absolute = await this.#place(path);
    const hash = createHash('sha256');
    let bytes = 0;
    async function* counted(source: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const piece of source) {
        const content = typeof piece === 'string' ? Buffer.from(piece) : piece;
        hash.update(content);
        bytes += content.length;
        yield content;
      }
    }
    await pipeline(
      pieces,
      counted,
      createWriteStream(absolute, { flush: true }),
      ...(signal ? [{ signal }] : []),
    );
    this.#note(path, { bytes, sha256: hash.digest('hex') });
  }

  /**
   * Lets a file be made by whoever knows how.
   * @param path inside the bundle, with forward slashes.
   * @param make writes the file, which is not there yet, and tells what became of it
   */
  async make(path: string, make: (absolute: string) => Promise<Omit<BundleFile, 'path'>>): Promise<void> {
    this.#note(path, await make(await this.#place(path)));
  }

  /** Where a file goes; its folder is made. */
  async #place(path: string): Promise<string> {
    const absolute = join(this.#folder, ...`${this.#prefix}${path}`.split('/'));
    await mkdir(dirname(absolute), { recursive: true });
    return absolute;
  }

  #note(path: string, file: Omit<BundleFile, 'path'>): void {
    this.#files.push({ path: `${this.#prefix}${path}`, ...file });
  }
}

/** Looks before it opens: a named pipe would wait for a writer for ever. */
async function openRegular(path: string): Promise<FileHandle> {
  const file = fileToOpen(path);
  if (!(await stat(file)).isFile()) throw new Error('It is not a regular file.');
  return open(file);
}

/** UTF-8 of text that comes in pieces. */
async function encoded(
  content: string | Iterable<string>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (typeof content === 'string') return new TextEncoder().encode(content);
  const pacer = new Pacer(signal);
  const parts: Buffer[] = [];
  for (const text of content) {
    parts.push(Buffer.from(text));
    // Writing a number costs a few hundred operations, about ten characters.
    if (pacer.due(text.length * WORK_PER_CHARACTER)) await pacer.pause();
  }
  return Buffer.concat(parts);
}

/** Where the files of a bundle gather until it is whole: beside its place, known by who writes it. */
function partialFolder(folder: string, writer: string): string {
  return `${resolve(folder)}.partial-${writer}`;
}

/** Removes what a writer left that was killed, and nothing else. */
export async function sweepPartial(folder: string, writer: string): Promise<void> {
  await rm(partialFolder(folder, writer), { recursive: true, force: true });
}

/**
 * Writes a bundle beside its place and moves it there when it is whole; when anything fails, nothing is left behind.
 * @param folder must not exist or be empty.
 * @param writer an identifier that no other writer has, by which `sweepPartial` finds what a killed one left.
 * @throws EngineError `bad-input` when the folder is taken or cannot be written, `disk-full`; what `fill` throws
 */
export async function writeBundle(
  folder: string,
  writer: string,
  fill: (bundle: Bundle) => Promise<void>,
  write: WriteFile = (path, bytes) => writeFile(path, bytes, { flush: true }),
): Promise<ExportResult> {
  const target = resolve(folder);
  await refuseTaken(target);
  const temporary = partialFolder(target, writer);
  try {
    await mkdir(temporary, { recursive: true });
    const bundle = new Bundle(temporary, write);
    await fill(bundle);
    // Something else may have been put there meanwhile.
    if (await refuseTaken(target)) await rmdir(target);
    await rename(temporary, target);
    return { folder: target, files: bundle.files };
  } catch (thrown) {
    // Even on a full disk removing works; a failure here must not hide the reason.
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    if (
      thrown instanceof Error &&
      'code' in thrown &&
      /^E(ACCES|PERM|ROFS|NOTDIR)$/.test(String(thrown.code))
    )
      throw new EngineError(
        'bad-input',
        `The folder ${target} cannot be written.`,
        'Choose another folder, or check that you may write there.',
        { cause: thrown },
      );
    throw thrown;
  }
}
