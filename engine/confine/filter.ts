/**
 * A filter of system calls as Linux takes it: a program of classic BPF over `struct seccomp_data`
 * (Documentation/userspace-api/seccomp_filter.rst).
 */
import { processors, systemCalls, type Processor } from './system-calls.ts';

/** BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ | BPF_K, JGE, JSET, BPF_RET | BPF_K. */
const [LOAD, IF_EQUAL, IF_AT_LEAST, IF_ANY_BIT, RETURN] = [0x20, 0x15, 0x35, 0x45, 0x06];
/** Where `struct seccomp_data` holds what; of an argument the lower half, both processors being little-endian. */
const [NUMBER, ARCHITECTURE] = [0, 4];
const argument = (index: number): number => 16 + 8 * index;

const ALLOW = 0x7fff_0000;
const KILL_PROCESS = 0x8000_0000;
const ERRNO = 0x0005_0000;
const [EPERM, ENOSYS] = [1, 38];
/** System calls of 32 bits for x64 have this bit. */
const X32 = 0x4000_0000;

/** O_ACCMODE | O_CREAT | O_TRUNC: opened for writing, or made by it. */
const WRITES = 0x3 | 0x40 | 0x200;
/** TIOCSTI and TIOCLINUX put words in the mouth of whoever sits at the terminal. */
const TERMINAL_INPUT = [0x5412, 0x541c];

export const INSTRUCTION_BYTES = 8;

interface Instruction {
  code: number;
  /** Instructions to leave out when the test holds, and when it does not. */
  then?: number;
  otherwise?: number;
  value: number;
}

/**
 * @param pid the only process that may be signalled; where programs may be started, its own group as a whole, too
 * @param opens whether files may be opened for writing: what else keeps them is not the filter's business
 * @returns instructions of {@link INSTRUCTION_BYTES} bytes
 */
export function systemCallFilter(
  processor: Processor,
  { pid, opens, programs }: { pid: number; opens: boolean; programs: boolean },
): Buffer {
  const { refused, programs: starting, missing, judged } = systemCalls(processor);
  const refuse = (errno: number): Instruction => ({ code: RETURN, value: ERRNO | errno });
  const allow: Instruction = { code: RETURN, value: ALLOW };
  const number: Instruction = { code: LOAD, value: NUMBER };
  /** Instructions that decide about one system call; the number is loaded again for the next. */
  const when = (call: number | null, decide: Instruction[]): Instruction[] =>
    call === null ? [] : [{ code: IF_EQUAL, otherwise: decide.length, value: call }, ...decide];
  const argumentIs = (index: number, test: Instruction): Instruction[] => [
    { code: LOAD, value: argument(index) },
    test,
    refuse(EPERM),
    allow,
  ];
  const program: Instruction[] = [
    { code: LOAD, value: ARCHITECTURE },
    { code: IF_EQUAL, then: 1, value: processors[processor] },
    { code: RETURN, value: KILL_PROCESS },
    number,
    ...(processor === 'x64' ? [{ code: IF_AT_LEAST, otherwise: 1, value: X32 }, refuse(ENOSYS)] : []),
    ...(programs ? refused : [...refused, ...starting]).flatMap((call) => when(call, [refuse(EPERM)])),
    ...missing.flatMap((call) => when(call, [refuse(ENOSYS)])),
    ...when(judged.kill, [
      { code: LOAD, value: argument(0) },
      ...(programs ? [{ code: IF_EQUAL, otherwise: 1, value: 0 }, allow] : []),
      { code: IF_EQUAL, then: 1, value: pid },
      refuse(EPERM),
      allow,
    ]),
    ...when(judged.tgkill, argumentIs(0, { code: IF_EQUAL, then: 1, value: pid })),
    ...(opens
      ? []
      : [
          ...when(judged.open, argumentIs(1, { code: IF_ANY_BIT, otherwise: 1, value: WRITES })),
          ...when(judged.openat, argumentIs(2, { code: IF_ANY_BIT, otherwise: 1, value: WRITES })),
        ]),
    ...when(judged.ioctl, [
      { code: LOAD, value: argument(1) },
      ...TERMINAL_INPUT.flatMap((value) => [{ code: IF_EQUAL, otherwise: 1, value }, refuse(EPERM)]),
      allow,
    ]),
    allow,
  ];
  const bytes = Buffer.alloc(program.length * INSTRUCTION_BYTES);
  program.forEach(({ code, then = 0, otherwise = 0, value }, index) => {
    const at = index * INSTRUCTION_BYTES;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(then, at + 2);
    bytes.writeUInt8(otherwise, at + 3);
    bytes.writeUInt32LE(value >>> 0, at + 4);
  });
  return bytes;
}
