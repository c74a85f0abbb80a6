import type { Pacer } from '../numerics/pacer.ts';
import { utf8Chunks } from '../text/index.ts';
import { DatasetError, place } from './errors.ts';
import { openText } from './open-text.ts';

const NEWLINE = 10;
const RETURN = 13;
/** Small enough that one chunk is parsed within the few milliseconds the engine may block. */
const CHUNK_BYTES = 1 << 17;
/** Longest line that is read: about ten million numbers. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
/** Units of a {@link Pacer} that parsing one byte costs. */
const WORK_PER_BYTE = 8;

/**
 * Reads a text file, plain or gzip, line by line, in UTF-8, UTF-16 or Windows-1252. Line ends stay off the text, a byte
 * order mark too. Lines count from 1. Time and memory grow with the longest line, never with its square.
 * @throws DatasetError `too-large` for a line beyond 64 MiB; what the file system throws; the signal's reason
 */
export async function readLines(
  path: string,
  pacer: Pacer,
  onLine: (text: string, line: number) => void,
): Promise<void> {
  const file = await openText(path, CHUNK_BYTES);
  let open: Buffer[] = [];
  let openBytes = 0;
  let line = 0;
  let end: number | null = null;
  const emit = (bytes: Buffer): void => {
    const length = bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length;
    line++;
    onLine(bytes.toString('utf8', 0, length), line);
  };
  try {
    for await (const chunk of utf8Chunks(file.bytes)) {
      // Programs of old Macs end lines with a carriage return alone.
      end ??= chunk.includes(NEWLINE) || !chunk.includes(RETURN) ? NEWLINE : RETURN;
      let from = 0;
      for (;;) {
        const at = chunk.indexOf(end, from);
        if (at < 0) break;
        const part = chunk.subarray(from, at);
        if (open.length === 0) emit(part);
        else {
          emit(Buffer.concat([...open, part]));
          open = [];
          openBytes = 0;
        }
        from = at + 1;
      }
      if (from < chunk.length) {
        open.push(chunk.subarray(from));
        openBytes += chunk.length - from;
        if (openBytes > MAX_LINE_BYTES)
          throw new DatasetError(
            'too-large',
            `${place(path, line + 1)} is longer than 64 MiB.`,
            'Is this a text file with one row per line?',
            line + 1,
          );
      }
      if (pacer.due(chunk.length * WORK_PER_BYTE)) await pacer.pause();
    }
    if (open.length > 0) emit(Buffer.concat(open));
  } finally {
    file.close();
  }
}
