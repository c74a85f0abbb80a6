import { spawnSync } from 'node:child_process';
import { afterFile } from './after-file.ts';

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

/** Why hosts of their own cannot be made here; null where they can. */
export const hostsMissing = ((): string | null => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'network namespaces are made by root on Linux';
  const name = `archetone-try-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return 'this system makes no network namespaces';
  const bridged = spawnSync('ip', ['-n', name, 'link', 'add', 'bridge', 'type', 'bridge']).status === 0;
  ip('netns', 'del', name);
  return bridged ? null : 'this system has no bridge between network namespaces';
})();
/** Tests that need such hosts say in their name why they are skipped. */
export const withHosts = hostsMissing === null ? '' : ` (skipped: ${hostsMissing})`;

/** A host of this machine: a network namespace with one cable to a bridge. */
export interface Host {
  address: string;
  /** What stands in front of a command that runs there. */
  within: readonly string[];
  /** Its cable is pulled: what was on its way is lost, and nothing says so. */
  unplug(): void;
  plug(): void;
}

let made = 0;

/**
 * Hosts with a cable each to one bridge, and one to this process; they end with the test file. Addresses are of 198.18.0.0/15, which
 * is set aside for measuring networks (RFC 2544).
 */
export function makeHosts<Name extends string>(
  names: readonly Name[],
): { hosts: Record<Name, Host>; here: string } {
  // Of several test processes each has a network of its own.
  const net = `198.${18 + ((process.pid >> 8) & 1)}.${process.pid & 255}`;
  const own = `at${process.pid.toString(36)}${(made++).toString(36)}`;
  const hub = `${own}-hub`;
  const namespaces = [hub];
  afterFile(() => {
    for (const name of namespaces) {
      const pids = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).stdout.trim();
      // Not by this process: one that has just ended would be an error.
      if (pids !== '') spawnSync('kill', ['-KILL', ...pids.split('\n')]);
      spawnSync('ip', ['netns', 'del', name]);
    }
  });
  ip('netns', 'add', hub);
  ip('-n', hub, 'link', 'add', 'bridge', 'type', 'bridge');
  ip('-n', hub, 'link', 'set', 'bridge', 'up');
  const cable = (port: number, namespace: string | null): string => {
    const [end, plug] = [`${own}e${port}`, `${own}p${port}`];
    ip('link', 'add', end, 'type', 'veth', 'peer', 'name', plug, 'netns', hub);
    ip('-n', hub, 'link', 'set', plug, 'master', 'bridge', 'up');
    const address = `${net}.${port + 1}`;
    if (namespace !== null) ip('link', 'set', end, 'netns', namespace);
    const inside = namespace === null ? [] : ['-n', namespace];
    ip(...inside, 'address', 'add', `${address}/24`, 'dev', end);
    ip(...inside, 'link', 'set', end, 'up');
    return address;
  };
  const here = cable(0, null);
  const entries = names.map((name, i): [Name, Host] => {
    const namespace = `${own}-${name}`;
    ip('netns', 'add', namespace);
    namespaces.push(namespace);
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    const address = cable(i + 1, namespace);
    const link = (state: 'up' | 'down'): void => ip('-n', hub, 'link', 'set', `${own}p${i + 1}`, state);
    const within = ['ip', 'netns', 'exec', namespace];
    return [name, { address, within, unplug: () => link('down'), plug: () => link('up') }];
  });
  return { hosts: Object.fromEntries(entries) as Record<Name, Host>, here };
}
