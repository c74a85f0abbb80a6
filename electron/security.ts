import { app, session } from 'electron';
import type { MayRecord } from './microphone.ts';

/** Only our own pages, never a file or the web. */
export const scheme = 'archetone';
export const appOrigin = `${scheme}://app`;
export const decoderOrigin = `${scheme}://decoder`;

/** Content security policy of the window: nothing by default, only our own scheme. */
export const windowPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  `img-src 'self' data: blob: ${scheme}:`,
  `media-src 'self' blob: ${scheme}:`,
  `connect-src 'self' blob: ${scheme}:`,
  "worker-src 'self' blob:",
  "font-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The hidden decoder page may run its script and read audio, nothing else. */
export const decoderPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/**
 * Chromium asks the network for nothing of its own: no name is looked up, and WebRTC, which no policy of a page covers,
 * may use a proxy only, which is none. To be called before the application is ready.
 */
export function closeNetwork(): void {
  app.commandLine.appendSwitch('host-resolver-rules', 'MAP * ~NOTFOUND');
  app.commandLine.appendSwitch('force-webrtc-ip-handling-policy', 'disable_non_proxied_udp');
  app.commandLine.appendSwitch('webrtc-ip-handling-policy', 'disable_non_proxied_udp');
  app.commandLine.appendSwitch('disable-background-networking');
  app.commandLine.appendSwitch('disable-component-update');
}

/** A proxy that nobody serves: what is not served by our own schemes leads nowhere. */
const NOWHERE = 'socks5://127.0.0.1:9';

/** No page is given a permission but the microphone (`microphone.ts`), opens windows, navigates away or embeds others. */
export function setupSecurity(mayRecord: MayRecord): void {
  session.defaultSession.setPermissionRequestHandler((contents, permission, answer, details) =>
    answer(mayRecord(contents, permission, details)),
  );
  // Which outputs there are, and their names, are told only to a page that could be given a microphone. That check, unlike
  // a page's own question whether it has one, says which origin it is for; asked for one, the handler above refuses.
  session.defaultSession.setPermissionCheckHandler(
    (_contents, permission, origin, { mediaType, securityOrigin }) =>
      permission === 'media' &&
      mediaType === 'audio' &&
      securityOrigin !== undefined &&
      // The whole address: a scheme of our own has no origin to Chromium.
      origin.startsWith(`${appOrigin}/`),
  );
  // Else Chromium fetches a dictionary at the first start.
  session.defaultSession.setSpellCheckerEnabled(false);
  void session.defaultSession.setProxy({ proxyRules: NOWHERE, proxyBypassRules: '<-loopback>' });
  session.defaultSession.webRequest.onBeforeRequest((details, answer) => {
    const { protocol } = new URL(details.url);
    answer({ cancel: ![`${scheme}:`, 'blob:', 'data:', 'devtools:'].includes(protocol) });
  });
  app.on('web-contents-created', (_event, contents) => {
    contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp');
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
  });
}

/** Whether a message comes from the top frame of one of our own pages. */
export function isOurFrame(frame: Electron.WebFrameMain | null, origin: string): boolean {
  // `URL.origin` is "null" for every scheme of our own, so the text is compared.
  return frame !== null && frame.parent === null && frame.url.startsWith(`${origin}/`);
}
