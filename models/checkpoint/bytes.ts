import { open, stat } from 'node:fs/promises';
import { CheckpointError } from './errors.ts';

/** A file that is read by range and never loaded whole. */
export interface ByteSource {
  /** Bytes in all. */
  readonly size: number;
  /**
   * Fills `target` from `position`.
   * @throws CheckpointError `truncated` when the source ends before.
   */
  readInto(target: Uint8Array, position: number): Promise<void>;
  /** A copy of `length` bytes from `position`; ends early at the end of the source. */
  read(position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens a file for reading by range.
 * @throws CheckpointError `io` when it cannot be opened or is no regular file.
 */
export async function openBytes(path: string): Promise<ByteSource> {
  const unreadable = (cause: unknown): never => {
    throw new CheckpointError('io', `${path} cannot be opened`, 'Check the path and that you may read it.', {
      cause,
    });
  };
  // Looked at before it is opened: opening a pipe waits for whoever writes to it.
  const info = await stat(path).catch(unreadable);
  if (!info.isFile())
    throw new CheckpointError('io', `${path} is not a file`, 'Name the checkpoint file itself.');
  const handle = await open(path, 'r').catch(unreadable);
  const readInto = async (target: Uint8Array, position: number): Promise<void> => {
    for (let done = 0; done < target.length;) {
      const { bytesRead } = await handle.read(target, done, target.length - done, position + done);
      if (bytesRead === 0) throw endsEarly(position + done);
      done += bytesRead;
    }
  };
  return byteSource(info.size, readInto, () => handle.close());
}

function byteSource(size: number, readInto: ByteSource['readInto'], close: ByteSource['close']): ByteSource {
  const read = async (position: number, length: number): Promise<Uint8Array> => {
    const target = new Uint8Array(Math.max(0, Math.min(length, size - position)));
    await readInto(target, position);
    return target;
  };
  return { size, readInto, read, close };
}

function endsEarly(offset: number): CheckpointError {
  return new CheckpointError(
    'truncated',
    `the file ends at byte ${offset}, in the middle of its data`,
    'The download was cut off: get the file again.',
    { offset },
  );
}
