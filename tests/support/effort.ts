/** A moment to measure from. */
export interface Moment {
  wall: number;
  cpu: NodeJS.CpuUsage;
}

export function now(): Moment {
  return { wall: performance.now(), cpu: process.cpuUsage() };
}

/**
 * Milliseconds since then, of the clock or of the processor, whichever is less: on a busy machine a process also waits
 * for its turn.
 */
export function since({ wall, cpu }: Moment): number {
  const used = process.cpuUsage(cpu);
  return Math.min(performance.now() - wall, (used.user + used.system) / 1000);
}
