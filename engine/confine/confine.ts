import { closeSync, constants, existsSync, openSync } from 'node:fs';
import type { Confinement } from '../api/app.ts';
import { systemCallFilter, INSTRUCTION_BYTES } from './filter.ts';
import { openKernel, type Kernel } from './kernel.ts';
import { processors, type Processor } from './system-calls.ts';

const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;
const LANDLOCK_VERSION = 1;
const LANDLOCK_RULE_PATH_BENEATH = 1;
/** Rights of landlock's first version that change files: written, removed, made, of every kind. */
const CHANGES = 0x2 | 0x1ff0;
/** Later versions: 2 linking and renaming across folders, 3 truncating. */
const LATER: [version: number, right: number][] = [
  [2, 0x2000],
  [3, 0x4000],
];
/** Where graphics cards are reached. */
const GRAPHICS = ['/dev/dri', '/dev/nvidiactl', '/dev/dxg'];

export interface ConfineOptions {
  /** Whether there is a graphics card, whose devices must be opened for writing. */
  graphics?: boolean;
  /** Whether programs may be started. They inherit all of this, and the group of processes that is made for them. */
  programs?: boolean;
}

/**
 * Gives up for ever, for this process and all its threads, what a program that only computes needs not: the network, other
 * processes, and the writing of files (ADR 16). Linux only; needs no rights. Where there is a graphics card its devices
 * must be opened for writing: then landlock keeps the files, from this thread and those that it starts.
 */
export function confineProcess({
  graphics = GRAPHICS.some(existsSync),
  programs = false,
}: ConfineOptions = {}): Confinement {
  if (process.platform !== 'linux') return unconfined(`not offered on ${process.platform}`);
  if (!isProcessor(process.arch)) return unconfined(`not offered on processors of kind ${process.arch}`);
  try {
    return confine(process.arch, graphics, programs);
  } catch (error) {
    return unconfined(error instanceof Error ? error.message : String(error));
  }
}

/** Nothing keeps the process in, and why. */
export const unconfined = (reason: string): Confinement => ({ calls: false, files: 'free', reason });

const isProcessor = (value: string): value is Processor => value in processors;

function confine(processor: Processor, graphics: boolean, programs: boolean): Confinement {
  const kernel = openKernel(processor);
  if (kernel.call('prctl', PR_SET_NO_NEW_PRIVS, 1) !== 0)
    return unconfined('the system does not let a process give up rights');
  // Refused to one that leads a group already, which is what is wanted.
  if (programs) kernel.call('setpgid', 0, 0);
  const landlocked = restrictFiles(kernel);
  const filter = systemCallFilter(processor, {
    ...{ pid: process.pid, opens: graphics, programs },
  });
  // `struct sock_fprog`: the number of instructions and, at the next multiple of eight bytes, where they are.
  const program = Buffer.alloc(16);
  program.writeUInt16LE(filter.length / INSTRUCTION_BYTES);
  program.writeBigUInt64LE(kernel.address(filter), 8);
  const at = kernel.address(program);
  const calls = kernel.call('seccomp', SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, at) === 0;
  if (!calls)
    return {
      calls,
      files: landlocked ? 'devices' : 'free',
      reason: 'the system takes no filter of system calls',
    };
  if (!graphics) return { calls, files: 'none', reason: '' };
  if (landlocked) return { calls, files: 'devices', reason: '' };
  return { calls, files: 'free', reason: 'the system has no landlock, and a graphics card must be reached' };
}

/** Lets this thread, and those it starts, change nothing but devices. @returns whether the system could */
function restrictFiles({ call, address }: Kernel): boolean {
  const version = call('landlock_create_ruleset', 0, 0, LANDLOCK_VERSION);
  if (version < 1) return false;
  const rights = LATER.reduce((all, [since, right]) => (version >= since ? all | right : all), CHANGES);
  const attributes = Buffer.alloc(8);
  attributes.writeUInt32LE(rights);
  const ruleset = call('landlock_create_ruleset', address(attributes), attributes.length, 0);
  if (ruleset < 0) return false;
  const devices = openSync('/dev', constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    // `struct landlock_path_beneath_attr`, packed: 64 bits of rights, the folder's descriptor.
    const rule = Buffer.alloc(12);
    rule.writeUInt32LE(rights);
    rule.writeInt32LE(devices, 8);
    return (
      call('landlock_add_rule', ruleset, LANDLOCK_RULE_PATH_BENEATH, address(rule), 0) === 0 &&
      call('landlock_restrict_self', ruleset, 0) === 0
    );
  } finally {
    closeSync(devices);
    closeSync(ruleset);
  }
}
