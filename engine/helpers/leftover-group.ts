/**
 * Ends the programs that a helper process which is gone has left running: those in the group that it led, where it led one
 * (`confineProcess` with `programs`). Killed, it could not do that itself, and a program that writes nothing does not notice.
 */
export function endLeftovers(leader: number | undefined): void {
  if (leader === undefined || process.platform === 'win32') return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // There is no such group, or nothing is left of it.
  }
}
