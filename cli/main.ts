import { runCommandLine } from './program.ts';

/** Longest time that output may take on its way into a pipe after everything else has ended. */
const FLUSH_MS = 10_000;

// Whoever read the output may be content with its beginning (`| head`); the work and its exit code stand all the same.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

// Set rather than exit: what is still on its way to a pipe must arrive.
process.exitCode = await runCommandLine(process.argv.slice(2));
// A library that forgets a handle must not keep a finished command from ending.
setTimeout(() => process.exit(), FLUSH_MS).unref();
