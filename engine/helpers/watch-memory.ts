import { Worker } from 'node:worker_threads';

const INTERVAL_MS = 50;

/**
 * Ends this process as soon as it holds more than `bytes` of memory. On a thread of its own, because a graph that takes
 * memory does so while it keeps the main thread busy. The owner of the process sees it end by SIGKILL.
 */
export function watchMemory(bytes: number): void {
  const code = `
    const { workerData } = require('node:worker_threads');
    setInterval(() => {
      if (process.memoryUsage.rss() > workerData.bytes) process.kill(process.pid, 'SIGKILL');
    }, workerData.interval);`;
  const watch = new Worker(code, { eval: true, workerData: { bytes, interval: INTERVAL_MS } });
  watch.unref();
}
