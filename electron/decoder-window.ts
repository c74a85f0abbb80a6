import { BrowserWindow, MessageChannelMain } from 'electron';
import type { EngineSupervisor } from './engine-supervisor.ts';
import { paths } from './paths.ts';
import { decoderOrigin } from './security.ts';

const idleMs = 30_000;

/**
 * A hidden, sandboxed window that decodes AAC with Chromium's own decoder: licence-clean, and a damaged file can hurt
 * nothing but this window. Created at the first need, closed when idle. Samples go straight to the engine over a port.
 */
export class DecoderWindow {
  private window: Promise<BrowserWindow> | null = null;
  private readonly active = new Set<number>();
  private idleTimer: NodeJS.Timeout | undefined;

  constructor(private readonly engine: () => EngineSupervisor) {}

  async decode(id: number, token: string): Promise<void> {
    clearTimeout(this.idleTimer);
    this.active.add(id);
    try {
      const window = await (this.window ??= this.open());
      const { port1, port2 } = new MessageChannelMain();
      window.webContents.postMessage('archetone:decode', `/audio/${token}`, [port1]);
      this.engine().post({ type: 'decoder', id }, [port2]);
    } catch (thrown) {
      this.lose(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  done(id: number): void {
    this.active.delete(id);
    if (this.active.size > 0) return;
    this.idleTimer = setTimeout(() => this.close(), idleMs);
  }

  close(): void {
    clearTimeout(this.idleTimer);
    const window = this.window;
    this.window = null;
    void window?.then((open) => open.destroy());
  }

  private async open(): Promise<BrowserWindow> {
    const window = new BrowserWindow({
      show: false,
      webPreferences: {
        preload: paths.decoderPreload,
        contextIsolation: true,
        sandbox: true,
        backgroundThrottling: false,
      },
    });
    window.webContents.on('render-process-gone', (_event, details) =>
      this.lose(`The decoder ended: ${details.reason}.`),
    );
    await window.loadURL(`${decoderOrigin}/index.html`);
    return window;
  }

  private lose(message: string): void {
    for (const id of this.active) this.engine().post({ type: 'decoder-lost', id, message });
    this.active.clear();
    this.close();
  }
}
