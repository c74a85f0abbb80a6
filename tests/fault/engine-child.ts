/**
 * An engine in a process of its own, which a test may kill. Arguments: the options as JSON, the music folder.
 * Tells one line per stored track, one when the import is over, and one when a taxonomy of the folders is made.
 */
import { createEngine } from '../../engine/engine.ts';
import type { EngineOptions } from '../../engine/engine.ts';

const [options = '{}', folder = ''] = process.argv.slice(2);
// Written by the test beside this file.
const engine = await createEngine(JSON.parse(options) as EngineOptions);
const client = engine.client();
const stop = new AbortController();
const { id } = await client.call('libraries.open', { folder });
void (async () => {
  for await (const event of client.stream('events', {}, { signal: stop.signal })) {
    if (event.type === 'job')
      process.stdout.write(`${event.job.state} ${event.job.progress.unit} ${event.job.progress.done}\n`);
    if (event.type !== 'job' || event.job.state !== 'done') continue;
    await client.call('taxonomies.create', { libraryId: id, source: { kind: 'folders' } });
    process.stdout.write('labelled\n');
  }
})();
// An idle engine keeps no process alive; a shell does.
setInterval(() => undefined, 1000);
process.once('SIGTERM', () => void engine.close().then(() => process.exit(0)));
await client.call('import.start', { libraryId: id });
