import { MessageChannelMain, utilityProcess } from 'electron';
import type { UtilityProcess, WebContents } from 'electron';
import { enginePortMessage } from '../engine/api/shell.ts';
import { fromEngineSchema } from './engine-messages.ts';
import type { EngineConfig, ToEngine } from './engine-messages.ts';
import { paths } from './paths.ts';
import { RestartPolicy } from './restart-policy.ts';

export interface SupervisorEvents {
  /** The engine cannot start at all (database newer or in use …); restarting would not help. */
  onFailed(problem: { message: string; hint: string }): void;
  /** The engine needs Chromium to decode the audio behind a token; the answer is a port, or `lost`. */
  onDecode(id: number, token: string): void;
  onDecodeDone(id: number): void;
  onCheckProvider(id: number, request: unknown): void;
  onCancelProvider(id: number): void;
  /** The engine needs a process for the graphs of packs; the answer is a port, and later how it ended. */
  onStartEmbedder(id: number, memoryLimit: number): void;
  onEndEmbedder(id: number): void;
  /** The engine is gone: what was started for it may end. */
  onGone(): void;
}

/**
 * Keeps one engine process alive: starts it, restarts it when it dies (`RestartPolicy`), gives every window a fresh
 * MessagePort each time, and ends it in an orderly way. Jobs resume inside the engine, from its database, unless the
 * engine died several times in a short while.
 */
export class EngineSupervisor {
  private child: UtilityProcess | null = null;
  private ready = false;
  private stopping = false;
  private readonly restarts = new RestartPolicy();
  private lastRequest = 0;
  private readonly windows = new Set<WebContents>();
  private readonly mediaRequests = new Map<number, (media: { path: string; mime: string } | null) => void>();
  private onStopped: () => void = () => undefined;

  constructor(
    private readonly config: Omit<EngineConfig, 'safeStart'>,
    private readonly events: SupervisorEvents,
  ) {}

  start(safeStart = false): void {
    const child = utilityProcess.fork(paths.engineProcess, [], {
      serviceName: 'Archetone engine',
      stdio: 'inherit',
    });
    this.child = child;
    child.on('spawn', () => this.post({ type: 'start', config: { ...this.config, safeStart } }));
    child.on('message', (message: unknown) => this.receive(message));
    child.on('exit', (code) => this.exited(code));
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
  resolveMedia(token: string): Promise<{ path: string; mime: string } | null> {
    if (!this.ready) return Promise.resolve(null);
    const id = ++this.lastRequest;
    return new Promise((resolve) => {
      this.mediaRequests.set(id, resolve);
      this.post({ type: 'resolve-media', id, token });
    });
  }

  post(message: ToEngine, ports: Electron.MessagePortMain[] = []): void {
    this.child?.postMessage(message, ports);
  }

  /** Asks the engine to finish what it is writing and waits for it, at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.stopping = true;
    if (!this.child) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.onStopped = () => {
        clearTimeout(timer);
        resolve();
      };
      this.post({ type: 'stop' });
    });
    this.child.kill();
  }

  private receive(message: unknown): void {
    const parsed = fromEngineSchema.safeParse(message);
    if (!parsed.success) {
      console.error('Unexpected message from the engine process:', parsed.error.message);
      return;
    }
    const data = parsed.data;
    switch (data.type) {
      case 'ready':
        this.ready = true;
        for (const window of this.windows) this.handPort(window);
        break;
      case 'failed':
        this.stopping = true;
        this.events.onFailed(data);
        break;
      case 'media':
        this.mediaRequests.get(data.id)?.(data.media);
        this.mediaRequests.delete(data.id);
        break;
      case 'decode':
        this.events.onDecode(data.id, data.token);
        break;
      case 'decode-done':
        this.events.onDecodeDone(data.id);
        break;
      case 'check-provider':
        this.events.onCheckProvider(data.id, data.request);
        break;
      case 'cancel-provider':
        this.events.onCancelProvider(data.id);
        break;
      case 'start-embedder':
        this.events.onStartEmbedder(data.id, data.memoryLimit);
        break;
      case 'end-embedder':
        this.events.onEndEmbedder(data.id);
        break;
      case 'stopped':
        this.onStopped();
        break;
    }
  }

  private handPort(window: WebContents): void {
    const { port1, port2 } = new MessageChannelMain();
    this.post({ type: 'client' }, [port1]);
    window.postMessage(enginePortMessage, null, [port2]);
  }

  private exited(code: number): void {
    this.child = null;
    this.ready = false;
    for (const resolve of this.mediaRequests.values()) resolve(null);
    this.mediaRequests.clear();
    this.events.onGone();
    this.onStopped();
    if (this.stopping) return;
    const { delayMs, safeStart } = this.restarts.died(performance.now());
    console.error(
      `The engine process ended with code ${String(code)}; starting it again${safeStart ? ' without resuming anything' : ''}.`,
    );
    setTimeout(() => this.start(safeStart), delayMs);
  }
}
