import { MessageChannelMain, utilityProcess } from 'electron';
import type { UtilityProcess, WebContents } from 'electron';
import { EngineError } from '../engine/api/errors.ts';
import { enginePortMessage } from '../engine/api/shell.ts';
import { connect } from '../engine/wire/connect.ts';
import type { Connection, HandlersOf } from '../engine/wire/contract.ts';
import { serve } from '../engine/wire/serve.ts';
import { engineContract, mainContract } from './engine-contract.ts';
import type { EngineConfig, EngineContract, MainContract, Media } from './engine-contract.ts';
import { paths } from './paths.ts';
import { movable, utilityPort } from './ports.ts';
import { RestartPolicy } from './restart-policy.ts';

/** The engine process ended while it was asked something. */
class EngineGone extends Error {}

export interface SupervisorEvents {
  /** The engine cannot start at all (database newer or in use …); restarting would not help. */
  onFailed(problem: { message: string; hint: string }): void;
  /** What is served to the engine; when it is gone, what runs for it is aborted. */
  handlers: HandlersOf<MainContract>;
}

/**
 * Keeps one engine process alive: starts it, restarts it when it dies (`RestartPolicy`), gives every window a fresh
 * MessagePort each time, and ends it in an orderly way. Jobs resume inside the engine, from its database, unless the
 * engine died several times in a short while.
 */
export class EngineSupervisor {
  private child: UtilityProcess | null = null;
  private engine: Connection<EngineContract> | null = null;
  private ready = false;
  private stopping = false;
  private readonly restarts = new RestartPolicy();
  private readonly windows = new Set<WebContents>();
  private readonly granted = new Set<string>();

  constructor(
    private readonly config: Omit<EngineConfig, 'safeStart' | 'granted'>,
    private readonly events: SupervisorEvents,
  ) {}

  start(safeStart = false): void {
    const child = utilityProcess.fork(paths.engineProcess, [], {
      serviceName: 'Archetone engine',
      stdio: 'inherit',
    });
    this.child = child;
    const port = utilityPort(child);
    child.on('exit', (code) => this.exited(code));
    child.on('spawn', () => {
      serve(port, mainContract, this.events.handlers);
      const engine = connect(port, engineContract, { lost: () => new EngineGone('The engine is gone.') });
      this.engine = engine;
      engine.call('start', { ...this.config, safeStart, granted: [...this.granted] }).then(
        () => {
          this.ready = true;
          for (const window of this.windows) this.handPort(window);
        },
        (thrown: unknown) => {
          if (thrown instanceof EngineGone) return;
          this.stopping = true;
          this.events.onFailed(EngineError.from(thrown));
        },
      );
    });
  }

  /** Gives a window a port to the engine, now and after every restart, until the window is gone. */
  attach(window: WebContents): void {
    if (!this.windows.has(window)) {
      this.windows.add(window);
      window.once('destroyed', () => this.windows.delete(window));
    }
    if (this.ready) this.handPort(window);
  }

  /** The file behind a media token; null when the engine never gave it out or is not running. */
  async resolveMedia(token: string): Promise<Media | null> {
    if (!this.ready || !this.engine) return null;
    return this.engine.call('resolveMedia', { token }).catch(() => null);
  }

  /** Lets windows name a file or folder that a person chose; resolves when the engine knows. */
  async grant(path: string): Promise<void> {
    this.granted.add(path);
    // One that is starting was told what was chosen before, not this; one that is not there is told when it starts.
    await this.engine?.call('grant', { path }).catch(reportUnlessGone);
  }

  /** Whether a window may have a file or folder shown. */
  async mayShow(path: string): Promise<boolean> {
    if (!this.ready || !this.engine) return false;
    return this.engine.call('mayShow', { path }).catch(() => false);
  }

  /** Hands the engine a port that it asked for. */
  handOver(method: 'decoder' | 'helper', id: number, port: Electron.MessagePortMain): void {
    this.engine?.call(method, { id }, { transfer: movable(port) }).catch(reportUnlessGone);
  }

  /** Asks the engine to finish what it is writing and waits for it, at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.stopping = true;
    const stopped = this.engine?.call('stop', {}, { signal: AbortSignal.timeout(timeoutMs) });
    await stopped?.catch(reportUnlessGone);
    this.child?.kill();
  }

  private handPort(window: WebContents): void {
    const { port1, port2 } = new MessageChannelMain();
    this.engine?.call('client', {}, { transfer: movable(port1) }).catch(reportUnlessGone);
    window.postMessage(enginePortMessage, null, [port2]);
  }

  private exited(code: number): void {
    this.child = null;
    this.engine = null;
    this.ready = false;
    if (this.stopping) return;
    const { delayMs, safeStart } = this.restarts.died(performance.now());
    console.error(
      `The engine process ended with code ${String(code)}; starting it again${safeStart ? ' without resuming anything' : ''}.`,
    );
    setTimeout(() => {
      if (!this.stopping) this.start(safeStart);
    }, delayMs);
  }
}

/** That the engine died is told by the exit of its process. */
function reportUnlessGone(thrown: unknown): void {
  if (!(thrown instanceof EngineGone)) console.error('The engine:', thrown);
}
