import { vi } from 'vitest';
import { Pacer } from '../../models/numerics/pacer.ts';

/** Does work whose steps make room for others at every chance: what is asked for at once then runs at once, on any machine. */
export async function unhurried<T>(work: () => Promise<T>): Promise<T> {
  const due = vi.spyOn(Pacer.prototype, 'due').mockReturnValue(true);
  try {
    return await work();
  } finally {
    due.mockRestore();
  }
}
