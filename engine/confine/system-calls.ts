/** Numbers of Linux's system calls, by processor (arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h). */

/** Processors that a filter is written for, with their AUDIT_ARCH_* constant. */
export const processors = { x64: 0xc000_003e, arm64: 0xc000_00b7 } as const;
export type Processor = keyof typeof processors;

/** x64, arm64; null: the processor does not have it. */
type Numbers = readonly [x64: number, arm64: number | null];

/** What reaches other machines, other programs, or the system itself. */
const outwards = {
  // The network, and sockets of other programs of the same person.
  ...{ socket: [41, 198], connect: [42, 203], bind: [49, 200], listen: [50, 201], accept: [43, 202] },
  accept4: [288, 242],
  // Other processes: read, written, signalled, joined.
  ...{ ptrace: [101, 117], process_vm_readv: [310, 270], setpgid: [109, 154], setsid: [112, 157] },
  ...{ process_vm_writev: [311, 271], pidfd_open: [434, 434], pidfd_getfd: [438, 438] },
  ...{ pidfd_send_signal: [424, 424], tkill: [200, 130], rt_sigqueueinfo: [129, 138] },
  rt_tgsigqueueinfo: [297, 240],
  // Memory and queues that processes share by a name.
  ...{ shmget: [29, 194], shmat: [30, 196], semget: [64, 190], msgget: [68, 186], mq_open: [240, 180] },
  // Namespaces, mounts and parts of the kernel that are seldom needed and often broken.
  ...{ unshare: [272, 97], setns: [308, 268], mount: [165, 40], umount2: [166, 39], pivot_root: [155, 41] },
  ...{ chroot: [161, 51], open_tree: [428, 428], move_mount: [429, 429], fsopen: [430, 430] },
  ...{ fsconfig: [431, 431], fsmount: [432, 432], fspick: [433, 433], mount_setattr: [442, 442] },
  ...{ bpf: [321, 280], perf_event_open: [298, 241], userfaultfd: [323, 282], add_key: [248, 217] },
  ...{ request_key: [249, 218], keyctl: [250, 219], init_module: [175, 105], finit_module: [313, 273] },
  ...{ kexec_load: [246, 104], reboot: [169, 142], swapon: [167, 224], swapoff: [168, 225] },
  ...{ quotactl: [179, 60], acct: [163, 89] },
} satisfies Record<string, Numbers>;

/** What starts other programs. */
const programs = { execve: [59, 221], execveat: [322, 281] } satisfies Record<string, Numbers>;

/** What changes files by their name. */
const changes = {
  ...{ creat: [85, null], truncate: [76, 45], open_by_handle_at: [304, 265] },
  ...{ rename: [82, null], renameat: [264, 38], renameat2: [316, 276] },
  ...{ link: [86, null], linkat: [265, 37], symlink: [88, null], symlinkat: [266, 36] },
  ...{ unlink: [87, null], unlinkat: [263, 35], rmdir: [84, null] },
  ...{ mkdir: [83, null], mkdirat: [258, 34], mknod: [133, null], mknodat: [259, 33] },
  ...{ chmod: [90, null], fchmod: [91, 52], fchmodat: [268, 53], fchmodat2: [452, 452] },
  ...{ chown: [92, null], fchown: [93, 55], lchown: [94, null], fchownat: [260, 54] },
  ...{ utime: [132, null], utimes: [235, null], futimesat: [261, null], utimensat: [280, 88] },
  ...{ setxattr: [188, 5], lsetxattr: [189, 6], fsetxattr: [190, 7], setxattrat: [463, 463] },
  ...{ removexattr: [197, 14], lremovexattr: [198, 15], fremovexattr: [199, 16] },
  removexattrat: [466, 466],
} satisfies Record<string, Numbers>;

/** What takes its orders from memory, where a filter cannot look: programs do without when it is not there. */
const opaque = {
  ...{ openat2: [437, 437], io_uring_setup: [425, 425], io_uring_enter: [426, 426] },
  io_uring_register: [427, 427],
} satisfies Record<string, Numbers>;

/** What is refused by an argument. */
const judged = {
  ...{ open: [2, null], openat: [257, 56], ioctl: [16, 29], kill: [62, 129], tgkill: [234, 131] },
} satisfies Record<string, Numbers>;

/** What this module calls itself. */
const used = {
  ...{ prctl: [157, 167], seccomp: [317, 277], landlock_create_ruleset: [444, 444] },
  ...{ landlock_add_rule: [445, 445], landlock_restrict_self: [446, 446], setpgid: [109, 154] },
} satisfies Record<string, Numbers>;

const at = ([x64, arm64]: Numbers, processor: Processor): number | null =>
  processor === 'x64' ? x64 : arm64;

/** The system calls of a processor; those it does not have are left out. */
export function systemCalls(processor: Processor): {
  refused: number[];
  programs: number[];
  missing: number[];
  judged: Record<keyof typeof judged, number | null>;
  used: Record<keyof typeof used, number>;
} {
  const all = (table: Record<string, Numbers>): number[] =>
    Object.values(table).flatMap((numbers) => at(numbers, processor) ?? []);
  const named = <T extends Record<string, Numbers>, V>(
    table: T,
    value: (numbers: Numbers) => V,
  ): Record<keyof T, V> =>
    Object.fromEntries(Object.entries(table).map(([name, numbers]) => [name, value(numbers)])) as Record<
      keyof T,
      V
    >;
  return {
    refused: [...all(outwards), ...all(changes)],
    programs: all(programs),
    missing: all(opaque),
    judged: named(judged, (numbers) => at(numbers, processor)),
    used: named(used, (numbers) => at(numbers, processor) ?? -1),
  };
}
