import { CheckpointError } from '../checkpoint/index.ts';

/** The name of the file at fault goes before the message. */
export async function named<T>(name: string, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof CheckpointError)) throw thrown;
    const { code, message, hint, offset, global } = thrown;
    throw new CheckpointError(code, `${name}: ${message}`, hint, {
      ...(offset === undefined ? {} : { offset }),
      ...(global === undefined ? {} : { global }),
      cause: thrown,
    });
  }
}
