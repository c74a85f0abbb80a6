/** A place that sound can be sent to or comes from. */
export interface AudioDevice {
  /** As the browser names it. */
  id: string;
  name: string;
}

const unnamed = { audiooutput: 'Output', audioinput: 'Microphone' } as const;
type Kind = keyof typeof unnamed;

/** The devices of a kind that can be chosen; a system that names none has no choice to offer. */
export async function audioDevices(
  devices: Pick<MediaDevices, 'enumerateDevices'> | undefined,
  wanted: Kind,
): Promise<AudioDevice[]> {
  const all = (await devices?.enumerateDevices().catch(() => [])) ?? [];
  return all
    .filter(({ kind, deviceId }) => kind === wanted && deviceId !== '' && deviceId !== 'default')
    .map(({ deviceId, label }, i) => ({
      id: deviceId,
      name: label || `${unnamed[wanted]} ${String(i + 1)}`,
    }));
}

/** Tells the devices of a kind, and again when one is plugged in or out. @returns what ends it */
export function watchDevices(
  devices: MediaDevices | undefined,
  kind: Kind,
  tell: (found: AudioDevice[]) => void,
): () => void {
  const read = (): void => void audioDevices(devices, kind).then(tell);
  read();
  devices?.addEventListener('devicechange', read);
  return () => devices?.removeEventListener('devicechange', read);
}
