/**
 * Tries to get out, and tells what it could do. Arguments: `confined`, `graphics` (confined, with a graphics card to reach),
 * `programs` (confined, but it may start programs) or `free`, a folder with the file `there`, a port of this machine.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { confineProcess, type ConfineOptions } from '../../engine/confine/confine.ts';
import { findProgram } from '../../engine/decode/find-program.ts';

const [, , how, folder = '', port = '0'] = process.argv;
const could = (work: () => unknown): boolean => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};
const later = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );
const reached = (to: { port: number; host: string } | { path: string }): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(to);
    socket.on('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
  });

// A thread that is there already, and the pool that file operations wait in.
const early = new Worker(
  `const { parentPort } = require('node:worker_threads');
   parentPort.on('message', (path) => {
     try { require('node:fs').writeFileSync(path, ''); parentPort.postMessage(true); }
     catch { parentPort.postMessage(false); }
   });`,
  { eval: true },
);
await writeFile(join(folder, 'before'), '');
const ways: Record<string, ConfineOptions> = {
  confined: { graphics: false },
  graphics: { graphics: true },
  programs: { graphics: false, programs: true },
};
const options = ways[how ?? ''];
const kept = options === undefined ? null : confineProcess(options);

/** Whether a program does it. */
const does = (program: string, ...input: string[]): boolean =>
  spawnSync(program, input, { timeout: 10_000, stdio: 'ignore' }).status === 0;
const shell = (script: string): boolean => does('bash', '-c', script);
const ffmpeg = await findProgram('ffmpeg');

const there = join(folder, 'there');
const told = {
  kept,
  network: await reached({ port: Number(port), host: '127.0.0.1' }),
  socketOfPrograms: await reached({ path: join(folder, 'socket') }),
  datagram: await new Promise<boolean>((resolve) => {
    const socket = createSocket('udp4');
    socket.on('error', () => resolve(false));
    socket.bind(0, '127.0.0.1', () => resolve(true));
  }),
  program: spawnSync('true').error === undefined,
  programNetwork: shell(`exec 3<>/dev/tcp/127.0.0.1/${port}`),
  programWrites: shell(`echo x > '${join(folder, 'program')}'`),
  programRemoves: shell(`echo x > '${join(folder, 'p')}'; rm '${join(folder, 'p')}'`),
  programSignals: shell(`kill -0 ${process.ppid}`),
  /** Without ffmpeg the same as `write`, which is what it would do. */
  ffmpegWrites:
    ffmpeg === null
      ? how === 'free'
      : does(ffmpeg, '-f', 'lavfi', '-i', 'anullsrc', '-t', '0.1', '-y', join(folder, 'silence.wav')),
  signalParent: could(() => process.kill(process.ppid, 0)),
  read: could(() => readFileSync(there)),
  write: [folder, homedir(), tmpdir(), '/var/tmp'].some((place) =>
    could(() => {
      const path = join(place, `.escaped-${process.pid}`);
      writeFileSync(path, '');
      rmSync(path);
    }),
  ),
  writeOnPool: await later(writeFile(join(folder, 'pool'), '')),
  writeOnEarlyThread: await new Promise((resolve) => {
    early.once('message', resolve);
    early.postMessage(join(folder, 'early'));
  }),
  makeFolder: could(() => mkdirSync(join(folder, 'folder'))),
  truncate: could(() => truncateSync(there)),
  rights: could(() => chmodSync(there, 0o600)),
  rename: could(() => renameSync(there, join(folder, 'elsewhere'))),
  remove: could(() => rmSync(join(folder, 'before'))),
};
// A utility process of Electron is ended by whoever started it.
const electron = (process as { parentPort?: { postMessage: (message: unknown) => void } }).parentPort;
if (electron) electron.postMessage(told);
else process.send?.(told, () => process.exit(0));
