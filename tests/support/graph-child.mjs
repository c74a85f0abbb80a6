/**
 * Runs ONNX graphs on one provider in a process of its own, because a driver is chosen by environment variables and may
 * take its process with it. The first argument names a folder with `jobs.json`: `{ provider, jobs: [{ graph, feeds:
 * { name: { data, dims } } }] }`; the outputs of each job's first output are written to `outputs.json`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const folder = process.argv[2] ?? '.';
const { provider, jobs } = JSON.parse(readFileSync(join(folder, 'jobs.json'), 'utf8'));
const outputs = [];
const sessions = new Map();
const open = async (graph) => {
  const options = { executionProviders: [provider], logSeverityLevel: 3 };
  if (!sessions.has(graph)) sessions.set(graph, await InferenceSession.create(join(folder, graph), options));
  return sessions.get(graph);
};
for (const { graph, feeds } of jobs) {
  const session = await open(graph);
  const tensors = Object.entries(feeds).map(([name, { data, dims }]) => [
    name,
    new Tensor('float32', Float32Array.from(data), dims),
  ]);
  const results = await session.run(Object.fromEntries(tensors));
  outputs.push(Array.from(results[session.outputNames[0]].data));
}
writeFileSync(join(folder, 'outputs.json'), JSON.stringify(outputs));
// Some drivers never let go of their threads.
process.exit(0);
