/**
 * An engine in a process of its own that exports an experiment, for a test to kill meanwhile. Arguments: the options as
 * JSON, the request as JSON.
 */
import type { Input } from '../../engine/api/contract.ts';
import { createEngine } from '../../engine/engine.ts';
import type { EngineOptions } from '../../engine/engine.ts';

const [options = '{}', request = '{}'] = process.argv.slice(2);
// Written by the test beside this file.
const engine = await createEngine(JSON.parse(options) as EngineOptions);
await engine.client().call('exports.start', JSON.parse(request) as Input<'exports.start'>);
