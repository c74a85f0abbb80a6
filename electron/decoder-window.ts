import { BrowserWindow, MessageChannelMain } from 'electron';
import type { MessagePortMain } from 'electron';
import { paths } from './paths.ts';
import { decoderOrigin } from './security.ts';

const idleMs = 30_000;

/**
 * A hidden, sandboxed window that decodes AAC with Chromium's own decoder: licence-clean, and a damaged file can hurt
 * nothing but this window. Created at the first need, closed when idle. Samples go straight to the engine over a port.
 */
export class DecoderWindow {
  private window: Promise<BrowserWindow> | null = null;
  /** How those who use the window are told that it is lost. */
  private readonly users = new Set<(error: Error) => void>();
  private idleTimer: NodeJS.Timeout | undefined;

  /**
   * Lends the decoder until the signal aborts.
   * @param connect takes the engine's end of a port to the page
   * @throws Error when the window does not open or ends
   */
  async lend(connect: (port: MessagePortMain) => void, signal: AbortSignal): Promise<null> {
    clearTimeout(this.idleTimer);
    let giveBack: () => void = () => undefined;
    let lose: (error: Error) => void = () => undefined;
    const lent = new Promise<null>((resolve, reject) => {
      giveBack = () => resolve(null);
      lose = reject;
    });
    this.users.add(lose);
    signal.addEventListener('abort', giveBack, { once: true });
    try {
      const window = await Promise.race([(this.window ??= this.open()), lent]);
      if (!window || signal.aborted) return null;
      const { port1, port2 } = new MessageChannelMain();
      window.webContents.postMessage('archetone:decode', null, [port1]);
      connect(port2);
      return await lent;
    } finally {
      signal.removeEventListener('abort', giveBack);
      this.users.delete(lose);
      if (this.users.size === 0) this.idleTimer = setTimeout(() => this.close(), idleMs);
    }
  }

  close(): void {
    clearTimeout(this.idleTimer);
    const window = this.window;
    this.window = null;
    window?.then(
      (open) => open.destroy(),
      () => undefined,
    );
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
      this.lose(new Error(`The decoder ended: ${details.reason}.`)),
    );
    try {
      await window.loadURL(`${decoderOrigin}/index.html`);
    } catch (thrown) {
      // The next one tries again.
      this.window = null;
      window.destroy();
      throw thrown;
    }
    return window;
  }

  private lose(error: Error): void {
    for (const tell of this.users) tell(error);
    this.close();
  }
}
